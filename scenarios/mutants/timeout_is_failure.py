"""Takes no answer for a no: the order fails for good.

People write: ``except TimeoutError: order.status = "failed"``, and a state machine in which failed
is final.
Breaks because no answer means unknown: the payment may have been made, and the money taken.
Shows over the public order API: an order is failed although the provider holds its money, or never
came to be paid although the provider would have taken the payment a second later.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, OrderStatus, decide
from shop.domain.payment import NoAnswer, PaymentOutcome, PaymentRefused
from shop.parts import Parts


def give_up_without_answer(order: Order, outcome: PaymentOutcome) -> Decision:
    """Treat unknown as refused, and failed as final."""
    if order.status is OrderStatus.FAILED:
        return Decision(order)
    if isinstance(outcome, NoAnswer):
        return decide(order, PaymentRefused(outcome.reason))
    return decide(order, outcome)


MUTANT = Mutant(
    "timeout_is_failure",
    "M32",
    "fails an order for good when the provider does not answer in time",
    Parts(decide=give_up_without_answer),
)
