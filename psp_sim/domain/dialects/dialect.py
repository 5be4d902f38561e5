"""What every dialect does: a native event comes in, signed headers and a body go out."""

from __future__ import annotations

import base64
import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from hashlib import _Hash


class Message(NamedTuple):
    """One call to be made: the event's id, the time of signing, the target, the native body."""

    id: str
    timestamp_s: int
    url: str
    body: str


class Sealed(NamedTuple):
    """What goes over the wire."""

    headers: dict[str, str]
    body: bytes


_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))

SECRET_MIN = 16
SECRET_MAX = 256


class Dialect(ABC):
    """Steps that faults can come between: the content, its signatures, and both put together."""

    name: ClassVar[str]
    # The header that carries the signatures; None where they are inside the body.
    signature_header: ClassVar[str | None]

    @abstractmethod
    def new_secret(self, source: random.Random) -> str:
        """Return a fresh secret in this provider's form."""

    def given_secret(self, secret: str) -> str:
        """Return a secret that the receiver has chosen.

        Raises ValueError for one that nobody should use, or with which nothing can be signed.
        """
        if not (SECRET_MIN <= len(secret) <= SECRET_MAX and secret.isascii()):
            raise ValueError(f"it is not {SECRET_MIN} to {SECRET_MAX} ASCII characters")
        try:
            self.expect_usable(secret)
        except ValueError as problem:
            raise ValueError(f"it has not the form of {self.name} secrets") from problem
        return secret

    def expect_usable(self, secret: str) -> None:
        """Raise ValueError for a secret with which nothing can be signed."""
        self.signature(secret, Message("id", 0, "http://localhost/", "{}"), b"{}")

    def shown_secret(self, secret: str) -> str:
        """Return what the receiver verifies with; the same secret unless keys come in pairs."""
        return secret

    def in_use(self, secrets: Sequence[str]) -> Sequence[str]:
        """Return which secrets sign while one is rotated; they come newest first."""
        return secrets

    def content(self, message: Message) -> bytes:
        """Return the body before it is signed: the native one, unless the provider has its own."""
        return message.body.encode()

    def signatures(self, secrets: Sequence[str], message: Message, content: bytes) -> list[str]:
        """Return one signature for each secret that signs."""
        return [self.signature(secret, message, content) for secret in self.in_use(secrets)]

    @abstractmethod
    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return the signature as text, without what frames it in a header."""

    @abstractmethod
    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Put signatures and content together; no signatures gives an unsigned call."""


def hmac_base64(key: bytes, content: bytes) -> str:
    """Return HMAC-SHA256 in standard base64."""
    return base64.b64encode(hmac_sha256(key, content)).decode()


def hmac_hex(key: bytes, content: bytes) -> str:
    """Return HMAC-SHA256 in lower-case hex."""
    return hmac_sha256(key, content).hex()


def hmac_sha256(key: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104), the key's part of which is done once for all messages."""
    inner, outer = (state.copy() for state in _keyed(key))
    inner.update(content)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> tuple[_Hash, _Hash]:
    """Return what both hashes are once they have read the key."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    key = key.ljust(_BLOCK_BYTES, b"\0")
    return hashlib.sha256(key.translate(_INNER_PAD)), hashlib.sha256(key.translate(_OUTER_PAD))


def altered(signature: str) -> str:
    """Return another signature of the same form: well formed in hex and base64, never valid."""
    return ("b" if signature[0] == "a" else "a") + signature[1:]
