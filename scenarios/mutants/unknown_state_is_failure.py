"""Takes every state of a payment that it does not know for a failure.

People write: ``"paid" if status == "succeeded" else "pending" if status == "processing" else
"failed"``.
Breaks because a payment has more states than these, and providers add some: one that waits for its
payer's approval has not failed.
Shows as an order that counts as failed while its payer looks at the bank's page.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import SUCCEEDED, PaymentOutcome, PaymentReported
from shop.parts import Parts

_KNOWN = (SUCCEEDED, "processing")


def decide_by_known_states(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if there were two states in which a payment has not failed."""
    if not isinstance(outcome, PaymentReported) or outcome.payment.status in _KNOWN:
        return decide(order, outcome)
    return decide(order, PaymentReported(replace(outcome.payment, status="failed")))


MUTANT = Mutant(
    "unknown_state_is_failure",
    "M42",
    "takes a payment in a state that it does not know for one that has failed",
    Parts(decide=decide_by_known_states),
)
