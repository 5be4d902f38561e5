"""Takes a refund that has succeeded for the end of it.

People write: ``if refund.status == "succeeded": return`` first of all, against repeats.
Breaks because a refund can fail after it has succeeded, when the customer's bank sends it back.
Shows as books that lack the money which has come back.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import SUCCEEDED, PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_without_returns(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if a refund that once was known to have succeeded could not change."""
    if not isinstance(outcome, PaymentReported):
        return decide(order, outcome)
    final = {one.id for one in order.holdings.refunds if one.status == SUCCEEDED}
    refunds = tuple(
        replace(one, status=SUCCEEDED) if one.id in final else one
        for one in outcome.payment.refunds
    )
    return decide(order, PaymentReported(replace(outcome.payment, refunds=refunds)))


MUTANT = Mutant(
    "refunds_are_final",
    "M40",
    "ignores that a refund which had succeeded comes back",
    Parts(decide=decide_without_returns),
)
