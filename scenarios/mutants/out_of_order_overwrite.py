"""Takes the order's status from whichever event came last.

People write: ``order.status = STATUS_OF[event.type]``, and have only ever seen events in order.
Breaks because a delayed or repeated older event arrives after a newer one.
Shows over the public order API: a paid order goes back to pending, or to failed.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide, status_after
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts


def believe_the_latest(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly about everything but the status, which is overwritten."""
    decision = decide(order, outcome)
    if not isinstance(outcome, PaymentReported) or decision.set_aside is not None:
        return decision
    status = status_after(outcome.payment)
    return replace(decision, order=replace(decision.order, status=status))


MUTANT = Mutant(
    "out_of_order_overwrite",
    "M11",
    "takes the status from the event that came last: a late one takes a paid order back",
    Parts(decide=believe_the_latest),
)
