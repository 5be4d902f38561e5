"""Adyen's standard webhooks: the HMAC-SHA256 sits inside each item of the body.

Source: docs.adyen.com, "Verify HMAC signatures", and Adyen's Python library 16.0: eight fields
joined by ``:`` without escaping, missing ones empty; the key is hex. Only those fields are signed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from psp_sim.domain.dialects.dialect import Dialect, Message, Sealed, hmac_base64

MERCHANT_ACCOUNT = "PspSimMerchant"

# Our event types → Adyen's event code and whether it succeeded; others keep their own names.
EVENT_CODES = {
    "payment.requires_action": ("PENDING", True),
    "payment.processing": ("PENDING", True),
    "payment.authorized": ("AUTHORISATION", True),
    "payment.succeeded": ("AUTHORISATION", True),
    "payment.failed": ("AUTHORISATION", False),
    "payment.canceled": ("CANCELLATION", True),
    "payment.expired": ("EXPIRE", True),
    "refund.pending": ("REFUND_PENDING", True),
    "refund.succeeded": ("REFUND", True),
    "refund.failed": ("REFUND_FAILED", True),
    "dispute.opened": ("NOTIFICATION_OF_CHARGEBACK", True),
    "dispute.won": ("CHARGEBACK_REVERSED", True),
    "dispute.lost": ("CHARGEBACK", True),
}
# What happens to a payment later has a reference of its own and points back at the payment.
_FIRST = ("PENDING", "AUTHORISATION")

_EMPTY = b'"additionalData":{"hmacSignature":""},'


class Adyen(Dialect):
    """One signature at a time: the old key goes on signing until the new one has spread."""

    name = "adyen"
    signature_header = None

    def new_secret(self, source: random.Random) -> str:
        """Return 32 bytes in upper-case hex."""
        return source.randbytes(32).hex().upper()

    def expect_usable(self, secret: str) -> None:
        """Raise ValueError for what is no hex."""
        bytes.fromhex(secret)

    def in_use(self, secrets: Sequence[str]) -> Sequence[str]:
        """Return the oldest that is still valid."""
        return secrets[-1:]

    def content(self, message: Message) -> bytes:
        """Return one notification with one item, its signature still empty."""
        item = _item(json.loads(message.body))
        document = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()

    def signature(self, secret: str, message: Message, content: bytes) -> str:  # noqa: ARG002
        """Return base64 over the fields of the item."""
        [holder] = json.loads(content)["notificationItems"]
        signed = signed_fields(holder["NotificationRequestItem"])
        return hmac_base64(bytes.fromhex(secret), signed.encode())

    def seal(self, signatures: Sequence[str], message: Message, content: bytes) -> Sealed:  # noqa: ARG002
        """Put the signature into its item."""
        filled = _EMPTY.replace(b'""', json.dumps(signatures[0]).encode()) if signatures else b""
        return Sealed({}, content.replace(_EMPTY, filled, 1))


def signed_fields(item: Mapping[str, Any]) -> str:
    """Return the text that is signed."""
    amount = item.get("amount", {})
    fields = (
        item.get("pspReference"),
        item.get("originalReference"),
        item.get("merchantAccountCode"),
        item.get("merchantReference"),
        amount.get("value"),
        amount.get("currency"),
        item.get("eventCode"),
        item.get("success"),
    )
    return ":".join("" if field is None else str(field) for field in fields)


def _item(event: Mapping[str, Any]) -> dict[str, Any]:
    data = event["data"]
    own_code = str(event["type"]).upper().replace(".", "_")
    code, success = EVENT_CODES.get(event["type"], (own_code, True))
    if data.get("capture_method") == "manual" and event["type"] == "payment.succeeded":
        code = "CAPTURE"
    is_first = code in _FIRST
    failure = data.get("failure") or {}
    item = {
        "additionalData": {"hmacSignature": ""},
        "amount": {"value": data.get("amount", 0), "currency": data.get("currency", "EUR")},
        "eventCode": code,
        "eventDate": event["timestamp"],
        "merchantAccountCode": data.get("account", MERCHANT_ACCOUNT),
        "merchantReference": data.get("reference", ""),
        "paymentMethod": data.get("payment_method", ""),
        "pspReference": data["id"] if is_first else event["id"],
        "reason": failure.get("message", ""),
        "success": "true" if success else "false",
    }
    return item if is_first else item | {"originalReference": data["id"]}
