"""Takes every dispute for one about the whole price.

People write: ``order.write_off(order.total)`` when a dispute is opened, whatever its amount.
Breaks because only what is left can be disputed, and a part may have gone back before.
Shows as books that lack the same money twice.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_on_whole_disputes(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if each dispute were about all of the order's money."""
    if not isinstance(outcome, PaymentReported):
        return decide(order, outcome)
    disputes = tuple(
        replace(one, amount_minor=order.amount_minor) for one in outcome.payment.disputes
    )
    return decide(order, PaymentReported(replace(outcome.payment, disputes=disputes)))


MUTANT = Mutant(
    "dispute_is_whole_price",
    "M41",
    "books a dispute of what is left as one of the whole price",
    Parts(decide=decide_on_whole_disputes),
)
