"""Standard Webhooks v1a: ed25519 over ``id.timestamp.body``; the receiver holds no secret.

Source: the Standard Webhooks specification 1.0.0. The private key is ``whsk_`` and the base64 of
seed and public key (64 bytes), the public one ``whpk_`` and the base64 of 32 bytes.
"""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING

from psp_sim.domain.dialects.dialect import Message
from psp_sim.domain.dialects.standard import Standard, signed_content
from psp_sim.domain.errors import DialectUnavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
SEED_BYTES = 32


class StandardV1a(Standard):
    """The same headers as v1, with another scheme in the signature."""

    name = "standard-v1a"
    version = "v1a"

    def new_secret(self, source: random.Random) -> str:
        """Return a private key. Raises DialectUnavailable without the library for it."""
        seed = source.randbytes(SEED_BYTES)
        public = _private_key(seed).public_key().public_bytes_raw()
        return PRIVATE_PREFIX + base64.b64encode(seed + public).decode()

    def given_secret(self, secret: str) -> str:  # noqa: ARG002
        """Refuse: the private half of a pair stays with the provider."""
        raise ValueError("the keys of this dialect come in pairs, which the provider makes")

    def shown_secret(self, secret: str) -> str:
        """Return the public key."""
        return PUBLIC_PREFIX + base64.b64encode(_key_bytes(secret)[SEED_BYTES:]).decode()

    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return base64."""
        key = _private_key(_key_bytes(secret)[:SEED_BYTES])
        return base64.b64encode(key.sign(signed_content(message, content))).decode()


def _key_bytes(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PRIVATE_PREFIX))


def _private_key(seed: bytes) -> Ed25519PrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as problem:
        raise DialectUnavailable(
            "the dialect standard-v1a needs the package cryptography: "
            'install it with pip install "psp-sim[dialects]"'
        ) from problem
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
