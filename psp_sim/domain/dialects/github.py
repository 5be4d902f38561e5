"""GitHub: ``X-Hub-Signature-256: sha256=…``, HMAC-SHA256 in hex over the body alone.

Source: docs.github.com, "Validating webhook deliveries". The body is the native one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_hex


class GitHub(Dialect):
    """There is one secret; a new one signs at once, and alone."""

    name = "github"
    signature_header = "x-hub-signature-256"

    def new_secret(self, source: random.Random) -> str:
        """Return 40 hex digits."""
        return f"{source.getrandbits(160):040x}"

    def in_use(self, secrets: Sequence[str]) -> Sequence[str]:
        """Return the newest."""
        return secrets[:1]

    def signature(self, secret: str, message: Message, content: bytes) -> str:  # noqa: ARG002
        """Return lower-case hex."""
        return hmac_hex(secret.encode(), content)

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Return the signature beside the event's name and the delivery's id."""
        headers = {
            "x-github-event": str(json.loads(message.body)["type"]),
            "x-github-delivery": message.id,
        }
        if signatures:
            headers[self.signature_header] = f"sha256={signatures[0]}"
        return Sealed(headers, content)
