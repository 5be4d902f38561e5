"""Shopify: ``X-Shopify-Hmac-SHA256``, HMAC-SHA256 in base64 over the body alone.

Source: shopify.dev, "Verify webhook deliveries". Ids and times travel in headers that are not
signed, so that nothing but deduplication stops a replay. The body is the native one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_base64

SHOP = "psp-sim.myshopify.com"


class Shopify(Dialect):
    """A new secret "can take up to an hour": until then the old one signs, alone."""

    name = "shopify"
    signature_header = "x-shopify-hmac-sha256"

    def new_secret(self, source: random.Random) -> str:
        """Return ``shpss_`` and 32 hex digits."""
        return f"shpss_{source.getrandbits(128):032x}"

    def in_use(self, secrets: Sequence[str]) -> Sequence[str]:
        """Return the oldest that is still valid."""
        return secrets[-1:]

    def signature(self, secret: str, message: Message, content: bytes) -> str:  # noqa: ARG002
        """Return base64."""
        return hmac_base64(secret.encode(), content)

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Return the signature beside what tells deliveries apart."""
        event = json.loads(message.body)
        headers = {
            "x-shopify-topic": str(event["type"]).replace(".", "/"),
            "x-shopify-shop-domain": SHOP,
            "x-shopify-event-id": message.id,
            "x-shopify-webhook-id": message.id,
            "x-shopify-triggered-at": str(event["timestamp"]),
        }
        if signatures:
            headers[self.signature_header] = signatures[0]
        return Sealed(headers, content)
