"""The provider's JSON: bytes come in, our own nouns go out, or one clear error."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from shop.domain.errors import UnreadableAnswer
from shop.domain.inbox import Event
from shop.domain.payment import PAYMENT_EVENT_TYPES, Dispute, Payment, Refund


class FailureBody(msgspec.Struct):
    """Why a payment failed."""

    code: str = ""
    message: str = ""


class RefundBody(msgspec.Struct):
    """A refund, alone or inside its payment."""

    id: str
    amount: int
    status: str
    reason: str | None = None
    failure: FailureBody | None = None

    def as_refund(self) -> Refund:
        """Our own noun for it."""
        return Refund(self.id, self.amount, self.status, self.reason, _sentence(self.failure))


class RefundPage(msgspec.Struct):
    """One page of refunds."""

    data: list[RefundBody]


class DisputeBody(msgspec.Struct):
    """A dispute inside its payment."""

    id: str
    amount: int
    status: str
    reason: str | None = None


class PaymentBody(msgspec.Struct):
    """A payment resource. Fields that the shop does not need are not named, so they may change."""

    id: str
    status: str
    amount: int
    currency: str
    reference: str
    failure: FailureBody | None = None
    sequence: int = 0
    amount_captured: int | None = None
    refunds: list[RefundBody] = []
    disputes: list[DisputeBody] = []

    def as_payment(self) -> Payment:
        """Our own noun for it."""
        return Payment(
            id=self.id,
            status=self.status,
            amount_minor=self.amount,
            currency=self.currency,
            reference=self.reference,
            failure=_sentence(self.failure),
            sequence=self.sequence,
            captured_minor=self.amount_captured,
            refunds=tuple(one.as_refund() for one in self.refunds),
            disputes=tuple(
                Dispute(one.id, one.amount, one.status, one.reason) for one in self.disputes
            ),
        )


class PaymentPage(msgspec.Struct):
    """One page of payments."""

    data: list[PaymentBody]


class EndpointBody(msgspec.Struct):
    """A webhook endpoint; the secret is only there when it is new."""

    id: str
    url: str = ""
    status: str = "enabled"
    disabled_reason: str | None = None
    secret: str = ""
    previous_secret_expires_at: str | int | float | None = None


class ProblemBody(msgspec.Struct):
    """An error answer (RFC 9457) with the provider's own ``code`` and ``definite``."""

    code: str = ""
    detail: str = ""
    definite: bool | None = None


class EventPage(msgspec.Struct):
    """One page of the event log; each event is exactly what its webhook carries."""

    data: list[msgspec.Raw]
    next: str | None = None


class EventHead(msgspec.Struct):
    """As much of an event as is needed to put it into the inbox."""

    # PostgreSQL stores no text with the character zero.
    id: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
    type: str = ""


class _Reference(msgspec.Struct):
    reference: str


class _EventAboutOrder(msgspec.Struct):
    data: _Reference


class _Envelope(msgspec.Struct):
    type: str
    timestamp: str | int | float | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


T = TypeVar("T")

# What msgspec raises for bytes that are not UTF-8, not JSON, not of this shape, or nested too deep.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(body: bytes | str, kind: type[T]) -> T:
    """Read JSON as one of the shapes above. Raises UnreadableAnswer."""
    try:
        return msgspec.json.decode(body, type=kind)
    except _UNREADABLE as problem:
        raise UnreadableAnswer(f"not a {kind.__name__}: {problem}") from problem


def read_event(body: str) -> Event:
    """Read an accepted webhook. Types that the shop does not know are events without a payment.

    Raises UnreadableAnswer.
    """
    envelope = decode(body, _Envelope)
    if envelope.type not in PAYMENT_EVENT_TYPES:
        return Event(envelope.type, None)
    payment = decode(bytes(envelope.data), PaymentBody).as_payment()
    try:
        happened_at = unix_time_of(envelope.timestamp)
    except UnreadableAnswer:
        happened_at = None
    return Event(envelope.type, payment, happened_at)


def order_named_in(body: bytes | str) -> str | None:
    """The order that an event is about, if it can be told."""
    try:
        return decode(body, _EventAboutOrder).data.reference
    except UnreadableAnswer:
        return None


def _sentence(failure: FailureBody | None) -> str | None:
    return None if failure is None else failure.message or failure.code or None


def is_json_object(body: bytes) -> bool:
    """Whether the bytes are a JSON object, whatever it says."""
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except _UNREADABLE:
        return False


def unix_time_of(moment: str | int | float | None) -> float | None:
    """A moment as the provider writes it, ISO 8601 or Unix seconds, as Unix seconds.

    Raises UnreadableAnswer.
    """
    if moment is None or isinstance(moment, (int, float)):
        return moment
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError as problem:
        raise UnreadableAnswer(f"{moment!r} is not an ISO 8601 time") from problem
    if parsed.tzinfo is None:
        raise UnreadableAnswer(f"{moment!r} has no time zone")
    return parsed.timestamp()
