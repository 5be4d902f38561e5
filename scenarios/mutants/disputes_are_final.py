"""Takes a dispute for the end of it: the money is gone.

People write: a handler for ``dispute.opened`` that books the loss, and none for the day on which
the bank decides.
Breaks because disputes can be won, and then the money comes back.
Shows as books that lack money which the provider holds for the shop.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_without_wins(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if a dispute that was won were still open."""
    if not isinstance(outcome, PaymentReported):
        return decide(order, outcome)
    disputes = tuple(
        replace(one, status="opened") if one.status == "won" else one
        for one in outcome.payment.disputes
    )
    return decide(order, PaymentReported(replace(outcome.payment, disputes=disputes)))


MUTANT = Mutant(
    "disputes_are_final",
    "M40",
    "ignores that a dispute is won and its money comes back",
    Parts(decide=decide_without_wins),
)
