"""Standard Webhooks v1: HMAC-SHA256 over ``id.timestamp.body``.

Source: the Standard Webhooks specification 1.0.0. A secret is ``whsec_`` and the base64 of its key.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from functools import lru_cache

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_base64

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix, not a secret
SECRET_BYTES = 24


def signed_content(message: Message, content: bytes) -> bytes:
    """Return what is signed."""
    return f"{message.id}.{message.timestamp_s}.".encode() + content


@lru_cache(maxsize=256)
def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


class Standard(Dialect):
    """During a rotation there is one signature per secret in one header, newest first."""

    name = "standard"
    signature_header = "webhook-signature"
    version = "v1"

    def new_secret(self, source: random.Random) -> str:
        """Return ``whsec_`` and 24 random bytes in base64."""
        return SECRET_PREFIX + base64.b64encode(source.randbytes(SECRET_BYTES)).decode()

    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return base64."""
        return hmac_base64(_key_of(secret), signed_content(message, content))

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Return the three headers of the specification."""
        headers = {"webhook-id": message.id, "webhook-timestamp": str(message.timestamp_s)}
        if signatures:
            headers["webhook-signature"] = " ".join(f"{self.version},{s}" for s in signatures)
        return Sealed(headers, content)
