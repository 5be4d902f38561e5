"""What the shop can learn about a payment: a report, a refusal, or no answer at all."""

from __future__ import annotations

from dataclasses import dataclass

SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back to the customer: pending, succeeded or failed, in minor units.

    A refund that has succeeded can still fail later, when the customer's bank sends it back.
    """

    id: str
    amount_minor: int
    status: str
    reason: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """The customer's bank takes the money: opened, then won (we get it back) or lost."""

    id: str
    amount_minor: int
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """The provider's view of a payment at one moment; ``reference`` is our order's id.

    ``sequence`` counts the payment's events, so of two views the one with the higher is newer.
    ``captured_minor`` is None where the provider does not say: then a success is about all of it.
    """

    id: str
    status: str
    amount_minor: int
    currency: str
    reference: str
    failure: str | None = None
    sequence: int = 0
    captured_minor: int | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentReported:
    """The provider told us how the payment stands, by webhook or in an answer."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentRefused:
    """The provider surely did not make the payment, and will not for the same request."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Unknown: the payment may have been made or not. ``retry_after_s`` is the provider's wish."""

    reason: str
    retry_after_s: float | None = None


PaymentOutcome = PaymentReported | PaymentRefused | NoAnswer

ENDPOINT_DISABLED = "endpoint.disabled"

# An event about a payment that is not in this list is accepted and ignored: providers add types.
PAYMENT_EVENT_TYPES = frozenset(
    {
        "payment.requires_action",
        "payment.processing",
        "payment.authorized",
        "payment.succeeded",
        "payment.failed",
        "payment.canceled",
        "payment.expired",
        "refund.pending",
        "refund.succeeded",
        "refund.failed",
        "dispute.opened",
        "dispute.won",
        "dispute.lost",
    }
)
