"""What an order may be once its shop knows all that befell its payments at the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.evidence import CORRECTED, REVERSED, is_taken_back

# What a payment that has come to its end must become at the shop.
OUTCOMES: dict[str, Sequence[str]] = {
    "succeeded": ("fulfilled", *CORRECTED),
    "failed": ("failed",),
    "canceled": ("failed",),
    "expired": ("failed",),
}
# What a correction must become; a shop of somebody else's may have one word for all of them.
_TAKEN_BACK = ("failed", REVERSED)
_LOST = (REVERSED,)
_OPENED = ("disputed", REVERSED)
_WON = ("fulfilled", "partially_refunded", "refunded")
_REFUNDED = ("refunded", REVERSED)
_PARTIALLY_REFUNDED = ("partially_refunded", REVERSED)
_UNDONE = ("fulfilled", REVERSED)
_WAITING = ("pending",)


def expected_statuses(payments: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Return what an order with these payments may be; all have come to an end, or none has."""
    succeeded = [payment for payment in payments if payment["status"] == "succeeded"]
    if not succeeded:
        if all(payment["status"] not in OUTCOMES for payment in payments):
            return _WAITING
        return _TAKEN_BACK if any(map(is_taken_back, payments)) else OUTCOMES["failed"]
    if len(succeeded) > 1:
        return OUTCOMES["succeeded"]
    disputes = {each["status"] for each in succeeded[0].get("disputes", ())}
    if "lost" in disputes:
        return _LOST
    if "opened" in disputes:
        return _OPENED
    return _after_refunds(succeeded[0], _WON if disputes else OUTCOMES["succeeded"])


def _after_refunds(payment: Mapping[str, Any], otherwise: Sequence[str]) -> Sequence[str]:
    refunded = payment.get("amount_refunded", 0)
    if not refunded:
        return _UNDONE if otherwise is not _WON and _has_failed_refund(payment) else otherwise
    return _REFUNDED if refunded >= payment["amount"] else _PARTIALLY_REFUNDED


def _has_failed_refund(payment: Mapping[str, Any]) -> bool:
    return any(refund["status"] == "failed" for refund in payment.get("refunds", ()))
