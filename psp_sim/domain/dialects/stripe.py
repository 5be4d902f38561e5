"""Stripe: ``Stripe-Signature: t=…,v1=…``, HMAC-SHA256 in hex over ``timestamp.body``.

Source: docs.stripe.com/webhooks and stripe-python 16.1. The secret is used as it is written, with
its prefix. The body is Stripe's event object with the payment as a payment intent.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_hex

# Our event types → Stripe's nearest. Others go out under their own names.
EVENT_TYPES = {
    "payment.requires_action": "payment_intent.requires_action",
    "payment.processing": "payment_intent.processing",
    "payment.authorized": "payment_intent.amount_capturable_updated",
    "payment.succeeded": "payment_intent.succeeded",
    "payment.failed": "payment_intent.payment_failed",
    "payment.canceled": "payment_intent.canceled",
    "payment.expired": "payment_intent.canceled",
    "refund.pending": "refund.created",
    "refund.succeeded": "refund.updated",
    "refund.failed": "refund.failed",
    "dispute.opened": "charge.dispute.created",
    "dispute.won": "charge.dispute.closed",
    "dispute.lost": "charge.dispute.closed",
}
STATUSES = {
    "authorized": "requires_capture",
    "failed": "requires_payment_method",
    "expired": "canceled",
}


class Stripe(Dialect):
    """During a rotation the header has one ``v1`` per secret."""

    name = "stripe"
    signature_header = "stripe-signature"

    def new_secret(self, source: random.Random) -> str:
        """Return ``whsec_`` and 32 hex digits."""
        return f"whsec_{source.getrandbits(128):032x}"

    def content(self, message: Message) -> bytes:
        """Return Stripe's event object, indented as Stripe sends it."""
        event = json.loads(message.body)
        return json.dumps(_event(event), indent=2, ensure_ascii=False).encode()

    def signature(self, secret: str, message: Message, content: bytes) -> str:
        """Return lower-case hex."""
        return hmac_hex(secret.encode(), f"{message.timestamp_s}.".encode() + content)

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:
        """Return the one header."""
        if not signatures:
            return Sealed({}, content)
        parts = [f"t={message.timestamp_s}", *(f"v1={signature}" for signature in signatures)]
        return Sealed({"stripe-signature": ",".join(parts)}, content)


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    # Stripe names the account of an event only where there is more than one.
    account = {"account": event["data"]["account"]} if "account" in event["data"] else {}
    return {
        "id": event["id"],
        "object": "event",
        **account,
        "api_version": "2025-01-27.acacia",
        "created": _unix_s(event["timestamp"]),
        "data": {"object": _object(event["data"])},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": EVENT_TYPES.get(event["type"], event["type"]),
    }


def _object(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payment intent; what is no payment stays as it is."""
    if data.get("object") != "payment":
        return dict(data)
    status, failure = data["status"], data.get("failure")
    captured = data.get("amount_captured", data["amount"] if status == "succeeded" else 0)
    return {
        "id": data["id"],
        "object": "payment_intent",
        "amount": data["amount"],
        "amount_capturable": data.get("amount_capturable", 0),
        "amount_received": captured,
        "capture_method": data.get("capture_method", "automatic"),
        "created": _unix_s(data["created"]),
        "currency": data["currency"].lower(),
        "last_payment_error": failure and {"type": "card_error", **failure},
        "livemode": False,
        "metadata": {**data["metadata"], "reference": data["reference"]},
        "status": STATUSES.get(status, status),
    }


def _unix_s(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
