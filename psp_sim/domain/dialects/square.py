"""Square: ``x-square-hmacsha256-signature``, HMAC-SHA256 in base64 over the URL and the body.

Source: developer.squareup.com/docs/webhooks and squareup 46.0. The notification URL counts to the
last character. There is no timestamp. The body is the native one.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_base64


class Square(Dialect):
    """One key per subscription; no overlap is documented, so the newest signs alone."""

    name = "square"
    signature_header = "x-square-hmacsha256-signature"

    def new_secret(self, source: random.Random) -> str:
        """Return 22 characters of URL-safe base64."""
        return base64.urlsafe_b64encode(source.randbytes(16)).decode().rstrip("=")

    def in_use(self, secrets: Sequence[str]) -> Sequence[str]:
        """Return the newest."""
        return secrets[:1]

    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return base64."""
        return hmac_base64(secret.encode(), message.url.encode() + content)

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:  # noqa: ARG002
        """Return the signature beside the environment's name."""
        headers = {"square-environment": "Sandbox"}
        if signatures:
            headers[self.signature_header] = signatures[0]
        return Sealed(headers, content)
