"""The bodies of ``/v1``: what requests must look like, and what answers do look like.

Requests are decoded into these models; the description of the API is made from all of them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from psp_sim.domain.money import AMOUNT_MINOR_MAX
from psp_sim.domain.payment import CaptureMethod

REFERENCE_CHARACTERS_MAX = 200
PAYMENT_METHOD_CHARACTERS_MAX = 200
METADATA_ENTRIES_MAX = 50
METADATA_CHARACTERS_MAX = 500

# Amounts and currencies are checked by the domain, which has better words for what is wrong.
_AMOUNT = {"type": "integer", "minimum": 1, "maximum": AMOUNT_MINOR_MAX, "examples": [1099]}
_CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}
Amount = Annotated[
    Any, msgspec.Meta(description="In minor units: 1099 is 10.99 EUR", extra_json_schema=_AMOUNT)
]
Currency = Annotated[
    Any, msgspec.Meta(description="ISO 4217, in capitals", extra_json_schema=_CURRENCY)
]

# What follows is checked where it is read, in sentences that say what to change.
_REFERENCE = {"minLength": 1, "maxLength": REFERENCE_CHARACTERS_MAX}
_TEXT = {"maxLength": METADATA_CHARACTERS_MAX}
Reference = Annotated[
    str,
    msgspec.Meta(
        description="The merchant's own id, such as an order's", extra_json_schema=_REFERENCE
    ),
]
Text = Annotated[str, msgspec.Meta(extra_json_schema=_TEXT)]
Metadata = Annotated[
    dict[Text, Text],
    msgspec.Meta(
        description="Whatever the merchant likes",
        extra_json_schema={"maxProperties": METADATA_ENTRIES_MAX},
    ),
]
_METHOD = {"type": "string", "maxLength": PAYMENT_METHOD_CHARACTERS_MAX}
PaymentMethod = Annotated[
    str,
    msgspec.Meta(description="Its name may decide what happens", extra_json_schema=_METHOD),
]


class CreatePayment(msgspec.Struct, forbid_unknown_fields=True):
    """Ask for money."""

    amount: Amount
    currency: Currency
    reference: Reference
    payment_method: PaymentMethod = "card"
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    metadata: Metadata = {}


class CapturePayment(msgspec.Struct, forbid_unknown_fields=True):
    """Take money that is held. Without an amount: all of it; the rest is let go."""

    amount: Amount | None = None


class CancelPayment(msgspec.Struct, forbid_unknown_fields=True):
    """Give up a payment. There is nothing to say about it."""


class AuthenticatePayment(msgspec.Struct, forbid_unknown_fields=True):
    """Answer for who pays."""

    result: Literal["approved", "refused"]


class CreateRefund(msgspec.Struct, forbid_unknown_fields=True):
    """Send money back. Without an amount: all that is left."""

    payment: str
    amount: Amount | None = None
    reason: Text | None = None
    metadata: Metadata = {}


class Failure(msgspec.Struct, forbid_unknown_fields=True):
    """Why something failed."""

    code: str
    message: str


class NextAction(msgspec.Struct, forbid_unknown_fields=True):
    """Where to send who pays."""

    type: Literal["redirect"]
    url: str


class RefundInPayment(msgspec.Struct, forbid_unknown_fields=True):
    """A refund as its payment shows it."""

    id: str
    amount: int
    status: Literal["pending", "succeeded", "failed"]
    reason: str | None
    failure: Failure | None
    created: str


class DisputeInPayment(msgspec.Struct, forbid_unknown_fields=True):
    """A dispute as its payment shows it."""

    id: str
    amount: int
    status: Literal["opened", "won", "lost"]
    reason: str
    created: str


PaymentStatus = Literal[
    "requires_action", "processing", "authorized", "succeeded", "failed", "canceled", "expired"
]


class Payment(msgspec.Struct, forbid_unknown_fields=True):
    """A payment with its refunds and disputes. ``sequence`` counts all its events."""

    id: str
    object: Literal["payment"]
    status: PaymentStatus
    amount: int
    currency: str
    reference: str
    payment_method: str
    capture_method: CaptureMethod
    amount_captured: int
    amount_capturable: int
    amount_refunded: int
    refunds: list[RefundInPayment]
    disputes: list[DisputeInPayment]
    next_action: NextAction | None
    expires_at: str | None
    metadata: dict[str, str]
    failure: Failure | None
    sequence: int
    created: str


class Refund(RefundInPayment, kw_only=True):
    """A refund by itself."""

    object: Literal["refund"]
    payment: str
    reference: str
    currency: str
    metadata: dict[str, str]


class Event(msgspec.Struct, forbid_unknown_fields=True):
    """What happened, exactly as webhooks carry it: ``data`` is the payment as of the event."""

    id: str
    type: str
    timestamp: str
    sequence: int
    data: dict[str, Any]


class Endpoint(msgspec.Struct, forbid_unknown_fields=True):
    """Where webhooks go. The secret shows only in the answer that makes it.

    ``retry_schedule`` is null where the provider's own is in force.
    """

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    dialect: str
    events: list[str]
    retry_schedule: str | None
    status: Literal["enabled", "disabled"]
    disabled_reason: str | None
    created: str
    previous_secret_expires_at: str | None
    secret: str | msgspec.UnsetType = msgspec.UNSET


class Tested(msgspec.Struct, forbid_unknown_fields=True):
    """What came of a test event."""

    delivered: bool
    status: int | None
    error: str | None


class Recovered(msgspec.Struct, forbid_unknown_fields=True):
    """How many events are on their way again."""

    recovered: int


class Deleted(msgspec.Struct, forbid_unknown_fields=True):
    """What is no more."""

    id: str
    object: str
    deleted: bool


class Delivery(msgspec.Struct):
    """An event on its way to an endpoint, with every attempt."""

    id: str
    object: Literal["delivery"]
    event: str
    type: str
    endpoint: str
    state: str
    next_attempt_at: str | None
    attempts: list[dict[str, Any]]


class PaymentPage(msgspec.Struct, forbid_unknown_fields=True):
    """A page of payments; ``next`` is the cursor of the following one."""

    data: list[Payment]
    next: str | None


class RefundPage(msgspec.Struct, forbid_unknown_fields=True):
    """A page of refunds."""

    data: list[Refund]
    next: str | None


class EventPage(msgspec.Struct, forbid_unknown_fields=True):
    """A page of events."""

    data: list[Event]
    next: str | None


class EndpointPage(msgspec.Struct, forbid_unknown_fields=True):
    """A page of endpoints."""

    data: list[Endpoint]
    next: str | None


class DeliveryPage(msgspec.Struct, forbid_unknown_fields=True):
    """A page of deliveries."""

    data: list[Delivery]
    next: str | None


class Problem(msgspec.Struct, forbid_unknown_fields=True):
    """An error (RFC 9457). Only where ``definite`` is true may a client give up."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    definite: bool
