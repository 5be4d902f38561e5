"""Idempotency keys after the IETF draft (draft-ietf-httpapi-idempotency-key-header-07).

A key is a Structured-Field string (in quotes); the bare form that most providers use is taken too.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from psp_sim.domain.errors import (
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
)

KEY_CHARACTERS_MAX = 255
_BARE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')
# For who reads the API's description: either form, quotes included in the length.
KEY_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": KEY_CHARACTERS_MAX,
    "pattern": f"^(?:{_BARE.pattern}|{_QUOTED.pattern})$",
}


class Answer(NamedTuple):
    """What the first request with a key was told, and is told again on every repeat."""

    status: int
    body: str
    replayed: bool = False


def parse_key(header: str | None) -> str:
    """Return the key without quotes. Raises IdempotencyKeyMissing or IdempotencyKeyMalformed."""
    if header is None:
        raise IdempotencyKeyMissing(
            "send an Idempotency-Key header, made once per operation and kept for every retry of it"
        )
    # The bare form has no quotes in it, so that only one of the two can fit.
    is_bare = _BARE.fullmatch(header)
    quoted = None if is_bare else _QUOTED.fullmatch(header)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header
    if not (quoted or is_bare) or len(key) > KEY_CHARACTERS_MAX:
        raise IdempotencyKeyMalformed(
            f"an Idempotency-Key is 1 to {KEY_CHARACTERS_MAX} printable ASCII characters, "
            'bare or in double quotes, like "8e03978e-40d5"'
        )
    return key


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Return what two requests must share to count as the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def replay(stored_fingerprint: str, stored: Answer, asked_fingerprint: str) -> Answer:
    """Return the stored answer for a repeat. Raises IdempotencyKeyReused for another request."""
    if stored_fingerprint != asked_fingerprint:
        raise IdempotencyKeyReused(
            "this Idempotency-Key was first used with another path or body: "
            "make a new key for a new operation, and resend the same body for a retry"
        )
    return Answer(stored.status, stored.body, replayed=True)
