"""What the specification's own library says about a webhook's signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signers_of(headers: Mapping[str, str], body: bytes, *secrets: str) -> list[str | None]:
    """Return, for each signature in the header, the secret that made it, or None."""
    signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    made = {
        Webhook(secret).sign(headers["webhook-id"], signed_at, body.decode()): secret
        for secret in secrets
    }
    return [made.get(signature) for signature in headers["webhook-signature"].split(" ")]
