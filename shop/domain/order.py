"""The order and the one decision about it: what is known plus what was learnt gives what to do.

Two joins, so that it does not matter in which order, or how often, the shop learns something:

- How far an order has come only ever moves up: pending < failed < paid < fulfilled.
- What became of its money follows from the newest view of the payment (``holdings``). Once an
  order is paid, that view may lay a correction over it, and take it away again:

      paid, fulfilled ──▶ partially_refunded ──▶ refunded       refunds that have succeeded
                      ◀── either of them                        a refund that fails later
      any of these    ──▶ disputed ──▶ as before                a dispute opened, and won
                                   ──▶ reversed                 a dispute lost
      any of these    ──▶ reversed                              a payment that fails after success

What customers see is the correction, or else how far the order has come. Goods that have left are
not called back; ``fulfilments`` tells of them whatever the status.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shop.domain.catalogue import Item
from shop.domain.fulfilment import Fulfilment, fulfilment_of
from shop.domain.holdings import NOTHING_KNOWN, Holdings, holdings_in, newer_of
from shop.domain.ledger import Entry, entry_for_change
from shop.domain.payment import NoAnswer, Payment, PaymentOutcome, PaymentRefused


class OrderStatus(StrEnum):
    """How far an order has come. Paid beats failed: who has paid gets the goods."""

    PENDING = "pending"
    FAILED = "failed"
    PAID = "paid"
    FULFILLED = "fulfilled"


class Correction(StrEnum):
    """What became of the money of an order that was paid, strongest last."""

    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    REVERSED = "reversed"


_RANK = {status: rank for rank, status in enumerate(OrderStatus)}

_STATUS_AFTER = {
    "succeeded": OrderStatus.PAID,
    "failed": OrderStatus.FAILED,
    "canceled": OrderStatus.FAILED,
    "expired": OrderStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer wants, and how far it has come. Amount in minor units, Unix seconds."""

    id: str
    status: OrderStatus
    amount_minor: int
    currency: str
    email: str
    items: tuple[Item, ...]
    created_at: float
    payment_id: str | None = None
    failure: str | None = None
    holdings: Holdings = NOTHING_KNOWN

    @property
    def public_status(self) -> str:
        """What a customer sees: a correction of the money, or else how far the order has come."""
        return (correction_of(self) or self.status).value


@dataclass(frozen=True, slots=True)
class Decision:
    """The order as it should be now, and what has to be written together with it.

    ``withdraws`` keeps goods from leaving that the warehouse has not taken on yet. ``is_news`` is
    noted when it is written: whether the stored order was another one.
    """

    order: Order
    entry: Entry | None = None
    fulfilment: Fulfilment | None = None
    set_aside: str | None = None
    withdraws: bool = False
    is_news: bool = False


def later_of(known: OrderStatus, learnt: OrderStatus) -> OrderStatus:
    """The join of two states: whichever is further up."""
    return max(known, learnt, key=_RANK.__getitem__)


def status_after(payment: Payment) -> OrderStatus:
    """What a payment in this state means for its order; an unknown state means nothing yet."""
    return _STATUS_AFTER.get(payment.status, OrderStatus.PENDING)


def correction_of(order: Order) -> Correction | None:
    """What became of the money of a paid order, if anything."""
    holdings = order.holdings
    if _RANK[order.status] < _RANK[OrderStatus.PAID]:
        return None
    if holdings.is_reversed:
        return Correction.REVERSED
    if holdings.is_disputed:
        return Correction.DISPUTED
    if holdings.refunded_minor >= order.amount_minor:
        return Correction.REFUNDED
    return Correction.PARTIALLY_REFUNDED if holdings.refunded_minor > 0 else None


def decide(order: Order, outcome: PaymentOutcome) -> Decision:
    """What follows from learning this about the order's payment.

    The effects carry ids that follow from the payment and the order, so that deciding the same
    twice writes the same rows twice, which is once.
    """
    if isinstance(outcome, NoAnswer):
        return Decision(order)
    if isinstance(outcome, PaymentRefused):
        return Decision(_moved(order, OrderStatus.FAILED, outcome.reason))
    payment = outcome.payment
    problem = _mismatch(order, payment)
    if problem is not None:
        return Decision(order, set_aside=problem)
    known = order.holdings if order.payment_id in (None, payment.id) else NOTHING_KNOWN
    learnt = holdings_in(payment)
    now = newer_of(known, learnt)
    entry = entry_for_change(payment, known, now)
    now = replace(now, entries=now.entries + (entry is not None))
    taken = replace(order, payment_id=payment.id, holdings=now)
    if learnt.was_captured and learnt.captured_minor < order.amount_minor:
        return Decision(taken, entry, set_aside=_too_little(order, payment, learnt))
    moved = _moved(taken, status_after(payment), payment.failure)
    if not learnt.was_captured or now.status != payment.status:
        return Decision(moved, entry, withdraws=now.was_returned)
    return Decision(moved, entry, fulfilment_of(order.id, order.items))


def fulfilled(order: Order) -> Order:
    """The order after the warehouse has taken it on."""
    return _moved(order, OrderStatus.FULFILLED, None)


def _moved(order: Order, learnt: OrderStatus, reason: str | None) -> Order:
    status = later_of(order.status, learnt)
    if status is not OrderStatus.FAILED:
        return replace(order, status=status, failure=None)
    return replace(order, status=status, failure=order.failure or reason or "the payment failed")


def _too_little(order: Order, payment: Payment, learnt: Holdings) -> str:
    return (
        f"of payment {payment.id} only {learnt.captured_minor} of {order.amount_minor} "
        f"{order.currency} were captured: order {order.id} is not paid"
    )


def _mismatch(order: Order, payment: Payment) -> str | None:
    """Why this payment is not the one that the order asked for, or None: signed is not right."""
    if payment.reference != order.id:
        return f"payment {payment.id} refers to {payment.reference!r}, not to order {order.id}"
    if (payment.amount_minor, payment.currency) != (order.amount_minor, order.currency):
        return (
            f"payment {payment.id} is about {payment.amount_minor} {payment.currency}, "
            f"order {order.id} about {order.amount_minor} {order.currency}"
        )
    if order.payment_id in (None, payment.id):
        return None
    unpaid = order.status in (OrderStatus.PENDING, OrderStatus.FAILED)
    if unpaid and status_after(payment) is OrderStatus.PAID:
        return None
    return f"payment {payment.id} is a second one for order {order.id}, beside {order.payment_id}"
