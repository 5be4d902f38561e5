"""An event: an immutable snapshot of what happened to a payment, numbered per payment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psp_sim.domain.dispute import Dispute, DisputeStatus
from psp_sim.domain.payment import FAILURE_MESSAGES, Payment, Status
from psp_sim.domain.refund import Refund, RefundStatus

EVENT_TYPES = (
    *(f"payment.{status}" for status in Status),
    *(f"refund.{status}" for status in RefundStatus),
    *(f"dispute.{status}" for status in DisputeStatus),
)

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Event(NamedTuple):
    """What happened. ``body`` is the exact text that webhooks carry."""

    id: str
    type: str
    payment_id: str
    sequence: int
    created_at: float
    body: str


def event_of(event_id: str, event_type: str, payment: Payment, now: float, shown: str) -> Event:
    """Return the event that tells of what just became of the payment.

    ``shown`` is the payment as ``render_payment`` shows it, in compact JSON.
    """
    # Nothing in front of the payment has a character that JSON would write in another way.
    body = (
        f'{{"id":"{event_id}","type":"{event_type}","timestamp":"{iso_timestamp(now)}",'
        f'"sequence":{payment.sequence},"data":{shown}}}'
    )
    return Event(event_id, event_type, payment.id, payment.sequence, now, body)


def with_new_id(body: str, event_id: str) -> str:
    """Return the same fact under another event id."""
    return _encode(json.loads(body) | {"id": event_id})


def render_payment(payment: Payment) -> dict[str, Any]:
    """Return the payment as the API and the webhooks show it."""
    requires_action = payment.status is Status.REQUIRES_ACTION
    # Enumerations have their plain text as a field here: the usual ``value`` is a call.
    return {
        "id": payment.id,
        "object": "payment",
        "status": payment.status._value_,
        "amount": payment.money.amount_minor,
        "currency": payment.money.currency,
        "reference": payment.reference,
        "payment_method": payment.payment_method,
        "capture_method": payment.capture_method._value_,
        "amount_captured": payment.captured_minor,
        "amount_capturable": payment.capturable_minor,
        "amount_refunded": payment.refunded_minor,
        "refunds": list(map(_refund, payment.refunds)),
        "disputes": list(map(_dispute, payment.disputes)),
        "next_action": {"type": "redirect", "url": payment.action_url} if requires_action else None,
        "expires_at": None if payment.expires_at is None else iso_timestamp(payment.expires_at),
        "metadata": dict(payment.metadata),
        "failure": _failure(payment.failure_code),
        "sequence": payment.sequence,
        "created": iso_timestamp(payment.created_at),
    }


def render_refund(payment: Payment, refund: Refund) -> dict[str, Any]:
    """Return a refund as the API shows it by itself."""
    return {
        "object": "refund",
        **_refund(refund),
        "payment": payment.id,
        "reference": payment.reference,
        "currency": payment.money.currency,
        "metadata": dict(refund.metadata),
    }


def _refund(refund: Refund) -> dict[str, Any]:
    has_failed = refund.status is RefundStatus.FAILED
    return {
        "id": refund.id,
        "amount": refund.amount_minor,
        "status": refund.status.value,
        "reason": refund.reason,
        "failure": _failure("refund_returned" if has_failed else None),
        "created": iso_timestamp(refund.created_at),
    }


def _dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "amount": dispute.amount_minor,
        "status": dispute.status.value,
        "reason": dispute.reason,
        "created": iso_timestamp(dispute.created_at),
    }


def _failure(code: str | None) -> dict[str, str] | None:
    return None if code is None else {"code": code, "message": FAILURE_MESSAGES[code]}


@lru_cache(maxsize=1024)
def iso_timestamp(seconds: float) -> str:
    """Return ISO 8601 in UTC with milliseconds."""
    whole_s, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_iso_second(whole_s)}.{microseconds // 1000:03}Z"


@lru_cache(maxsize=64)
def _iso_second(whole_s: int) -> str:
    """Return a second without its zone: thousands of payments are made in each."""
    return datetime.fromtimestamp(whole_s, UTC).isoformat()[:19]
