"""Takes a paid order for finished: nothing that comes later is news.

People write: ``if order.status in FINAL: return``, so that late repeats do no harm.
Breaks because money that has come can go again: disputes, refunds that fail, debits that are
returned. They are told of by events like any other.
Shows as books that hold money which the provider has given back.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, OrderStatus, decide
from shop.domain.payment import PaymentOutcome
from shop.parts import Parts


def decide_until_paid(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly about an order that is still open."""
    if order.status in (OrderStatus.PAID, OrderStatus.FULFILLED):
        return Decision(order)
    return decide(order, outcome)


MUTANT = Mutant(
    "corrections_ignored",
    "M40",
    "ignores what becomes of the money once an order is paid",
    Parts(decide=decide_until_paid),
)
