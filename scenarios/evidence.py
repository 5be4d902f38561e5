"""What was seen from outside in one run: the provider's books, the warehouse, the public orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Ranks of an order's public status: a later one may replace an earlier one, never the reverse.
# Corrections (a refund, a dispute, money taken back) come last and may follow each other freely.
REVERSED = "reversed"
CORRECTED: Sequence[str] = ("partially_refunded", "refunded", "disputed", REVERSED)
RANKS: dict[str, int] = {
    "pending": 0,
    "failed": 1,
    "paid": 2,
    "fulfilled": 3,
    **dict.fromkeys(CORRECTED, 4),
}
PAID: Sequence[str] = ("paid", "fulfilled", *CORRECTED)
FAILED: Sequence[str] = ("failed",)

# In the metadata of a payment that somebody made past the shop: no order asked for its money.
STRAY = "made_by_a_payer"

# Why a payment failed that had succeeded before, in the provider's words.
DEBIT_RETURNED = "debit_returned"


def is_taken_back(payment: Mapping[str, Any]) -> bool:
    """Tell whether a payment had succeeded and the bank took its money back."""
    code = (payment.get("failure") or {}).get("code")
    return payment["status"] == "failed" and code == DEBIT_RETURNED


def can_be_refunded(payment: Mapping[str, Any]) -> bool:
    """Tell whether the provider has no reason to refuse a refund: its money may be gone by then."""
    return payment["status"] == "succeeded" and not payment.get("disputes")


def is_stray(payment: Mapping[str, Any]) -> bool:
    """Tell whether somebody made a payment past the shop, whatever order it names."""
    return STRAY in payment.get("metadata", {})


@dataclass(slots=True)
class OrderSeen:
    """One order as a customer saw it: its price and every status, with the time of seeing it.

    ``refunds_wished`` has what the staff asked the shop to give back, in minor units.
    ``unpaid_at`` is the last moment at which the shop can have answered that it was not paid yet.
    ``never_settles`` is set where the scenario keeps the payment from any outcome. ``number`` is
    0 for an order of which no customer knows.
    """

    id: str
    number: int
    placed_at: float
    amount_minor: int | None
    currency: str | None
    history: list[tuple[float, str]] = field(default_factory=list)
    refunds_wished: list[int] = field(default_factory=list)
    never_settles: bool = False
    unpaid_at: float | None = None

    @property
    def status(self) -> str | None:
        """The status seen last."""
        return self.history[-1][1] if self.history else None

    def saw(self, at: float, status: str, asked_at: float | None = None) -> None:
        """Note a status, if it is not the one that was seen before; asked for at ``asked_at``.

        Two may look at once. An answer to a question that was asked before the last change was
        seen may be older than that change, and says nothing.
        """
        if asked_at is not None and self.history and asked_at < self.history[-1][0]:
            return
        if status != self.status:
            self.history.append((at, status))
        if asked_at is not None and not any(seen in PAID for _, seen in self.history):
            self.unpaid_at = asked_at


@dataclass(frozen=True, slots=True)
class Shipment:
    """One call to the warehouse."""

    at: float
    order: str
    fulfilment: str | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that befell a host, such as a crash; ``text`` goes on after the host's name."""

    at: float
    host: str
    text: str


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A time during which the world kept hosts, or the line between two, from their work.

    ``forgets`` tells that what a host had promised may be gone afterwards; ``clock_off_s`` is how
    far its clock was ahead, or behind if negative.
    """

    kind: str
    hosts: frozenset[str]
    began_at: float
    ended_at: float
    is_on_the_line: bool = False
    forgets: bool = False
    clock_off_s: float = 0.0

    def stands_between(self, one: str, other: str) -> bool:
        """Tell whether one of the two could not do its part, or could not reach the other."""
        return (
            {one, other} <= self.hosts if self.is_on_the_line else bool({one, other} & self.hosts)
        )

    def overlaps(self, begin: float, end: float) -> bool:
        """Tell whether it was on at some moment between the two."""
        return self.began_at <= end and begin <= self.ended_at


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon a shop acts upon what it has acknowledged, in seconds, as its settings promise.

    Undisturbed; after it was itself away; after the warehouse was away or out of reach. To act is
    to let the goods leave, or with ``status_is_enough`` to show the order as paid.
    """

    acts_within_s: float
    after_own_absence_s: float
    after_warehouse_absence_s: float
    status_is_enough: bool = False


@dataclass(frozen=True, slots=True)
class FiredFault:
    """How often one fault of the scenario really acted."""

    kind: str
    fired: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on; payments and deliveries are as the provider shows them.

    ``endpoint_troubles`` is how often something befell the endpoint of a shop that looks after it.
    ``healed_at`` is when all faults were lifted, in the world's Unix seconds.
    ``unknown_orders`` were paid for, and the shop that was asked for them has none of them.
    ``undone_steps`` names what people wanted to do and could not, however often they tried.
    """

    orders: Sequence[OrderSeen]
    payments: Sequence[Mapping[str, Any]]
    deliveries: Sequence[Mapping[str, Any]]
    shipments: Sequence[Shipment]
    fired: Sequence[FiredFault]
    ledger: Mapping[str, Mapping[str, int]] | None
    waited_s: float
    still_waiting_for: str | None
    undone_steps: Sequence[str] = ()
    incidents: Sequence[Incident] = ()
    captured_at: Mapping[str, float] = field(default_factory=dict)
    disturbances: Sequence[Disturbance] = ()
    pace: Pace | None = None
    endpoints: Sequence[Mapping[str, Any]] = ()
    endpoint_troubles: int = 0
    unknown_orders: Sequence[str] = ()
    healed_at: float | None = None

    @property
    def began_at(self) -> float:
        """When the first order was placed, in the world's Unix seconds."""
        return min((order.placed_at for order in self.orders), default=0.0)

    def payments_of(self, order_id: str) -> list[Mapping[str, Any]]:
        """Return the payments that were made for the order."""
        return [
            each for each in self.payments if each["reference"] == order_id and not is_stray(each)
        ]

    def captured(self) -> list[Mapping[str, Any]]:
        """Return the payments for orders that the provider holds as succeeded."""
        return [
            payment
            for payment in self.payments
            if payment["status"] == "succeeded" and not is_stray(payment)
        ]

    def taken_back(self) -> list[Mapping[str, Any]]:
        """Return the payments that had succeeded and whose money the bank took back."""
        return [payment for payment in self.payments if is_taken_back(payment)]

    def has_undone_corrections(self, order_id: str) -> bool:
        """Tell whether money of an order came back: a dispute was won, or a refund failed."""
        return any(
            any(dispute["status"] == "won" for dispute in payment.get("disputes", ()))
            or any(refund["status"] == "failed" for refund in payment.get("refunds", ()))
            for payment in self.payments_of(order_id)
        )

    def fulfilments_of(self, order_id: str) -> list[str]:
        """Return what reached the warehouse for an order; repeats of one id count once.

        A sender without ids of its own has each call counted.
        """
        calls = [shipment for shipment in self.shipments if shipment.order == order_id]
        named = dict.fromkeys(call.fulfilment for call in calls if call.fulfilment is not None)
        nameless = [f"call {n}" for n, call in enumerate(calls, 1) if call.fulfilment is None]
        return [*(name for name in named if name is not None), *nameless]

    def attempts(self) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Return each webhook call with its delivery, in the order of deliveries."""
        return [(delivery, made) for delivery in self.deliveries for made in delivery["attempts"]]


@dataclass(frozen=True, slots=True)
class Played:
    """What one run gave: evidence, the time that passed in its world, and in virtual time the
    digest of its whole trace and how often each mark was hit. ``trouble`` is what happened to the
    service beside all that; ``trace`` is there if it was asked for.
    """

    evidence: Evidence
    simulated_s: float
    digest: str | None
    trouble: str | None = None
    marks: Mapping[str, int] = field(default_factory=dict)
    trace: Sequence[str] = ()
