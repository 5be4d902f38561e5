"""What every dialect does: a native event comes in, signed headers and a body go out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, NamedTuple


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
    state = _keyed(key).copy()
    state.update(content)
    return state.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> hmac.HMAC:
    """Return what the HMAC is once it has read the key."""
    return hmac.new(key, digestmod=hashlib.sha256)


def altered(signature: str) -> str:
    """Return another signature of the same form: well formed in hex and base64, never valid."""
    return ("b" if signature[0] == "a" else "a") + signature[1:]
