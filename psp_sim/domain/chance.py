"""Chance addressed by name: each decision draws from its own key, never from a shared stream.

Taking one fault away therefore leaves every other draw as it was, which is what makes a failure
shrinkable and a replay stable.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

_SCALE = 2.0**64


@dataclass(frozen=True, slots=True)
class Chance:
    """A seed from which every keyed draw follows."""

    seed: int

    def fraction(self, *key: str | int) -> float:
        """Return a number in [0, 1) that depends on nothing but the seed and the key."""
        return self._number(key) / _SCALE

    def random(self, *key: str | int) -> random.Random:
        """Return a generator of its own for draws that need a distribution."""
        return random.Random(self._number(key))

    def _number(self, key: tuple[str | int, ...]) -> int:
        text = repr((self.seed, *key)).encode()
        # 64 bits rounded down to the 53 that a float holds, so that a fraction never reaches 1.
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) & ~0x7FF
