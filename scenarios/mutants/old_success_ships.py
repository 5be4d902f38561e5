"""Ships for the news that a payment has succeeded, whatever it knows beside that.

People write: ``on("payment.succeeded", ship)``: the handler looks at the event, not at the order.
Breaks because news can be late: the bank may have taken the money back meanwhile, and the shop
been told of it.
Shows as goods that leave after the shop has acknowledged that their payment has failed again.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.fulfilment import fulfilment_of
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import SUCCEEDED, PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_by_event(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly about all but the goods."""
    decision = decide(order, outcome)
    if not isinstance(outcome, PaymentReported) or decision.set_aside is not None:
        return decision
    if outcome.payment.status != SUCCEEDED:
        return decision
    return replace(decision, fulfilment=fulfilment_of(order.id, order.items), withdraws=False)


MUTANT = Mutant(
    "old_success_ships",
    "M40",
    "ships for late news of a success though it knows that the bank has taken the money back",
    Parts(decide=decide_by_event),
)
