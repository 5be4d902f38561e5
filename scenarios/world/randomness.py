"""A seed and a key in, a number out: every draw has an address, so each is alone."""

from __future__ import annotations

import random
from hashlib import blake2b

Key = str | int | bytes

_FRACTION = 2.0**-53


def _digest(seed: int, key: tuple[Key, ...]) -> int:
    # repr is the same on every Python, and tells ("a", "bc") from ("ab", "c").
    return int.from_bytes(blake2b(repr((seed, key)).encode(), digest_size=8).digest(), "big")


def keyed_fraction(seed: int, *key: Key) -> float:
    """Return the number in [0, 1) that belongs to this seed and key."""
    return (_digest(seed, key) >> 11) * _FRACTION


def keyed_random(seed: int, *key: Key) -> random.Random:
    """Return the stream of random numbers that belongs to this seed and key."""
    return random.Random(_digest(seed, key))
