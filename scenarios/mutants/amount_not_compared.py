"""Believes that a payment which names the order is the payment for the order.

People write: ``order = Order.get(event.reference); order.paid()``, since the signature fits and the
provider would not lie.
Breaks because the provider tells the truth about a payment that somebody made for another amount,
or in another currency, with the order's number on it.
Shows as goods that leave for a payment of one cent.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, OrderStatus, decide
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts

_UNPAID = (OrderStatus.PENDING, OrderStatus.FAILED)


def decide_by_reference(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide about an unpaid order as if each payment for it were about its price."""
    if isinstance(outcome, PaymentReported) and order.status in _UNPAID:
        payment = replace(
            outcome.payment,
            amount_minor=order.amount_minor,
            currency=order.currency,
            captured_minor=None,
        )
        return decide(order, PaymentReported(payment))
    return decide(order, outcome)


MUTANT = Mutant(
    "amount_not_compared",
    "M16",
    "compares neither amount nor currency: a payment of one cent pays an order",
    Parts(decide=decide_by_reference),
)
