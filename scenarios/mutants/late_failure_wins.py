"""Fails the order for any payment that fails with its number on it.

People write: ``on("payment.failed"): order.status = "failed"``, with one payment per order in mind.
Breaks because people try more than once: a second card, a second tab. The failure of one attempt
says nothing about the one that has succeeded.
Shows over the public order API: a paid order becomes failed.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, OrderStatus, decide
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_by_last_failure(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly about everything but the failure of another attempt."""
    is_failure = isinstance(outcome, PaymentReported) and outcome.payment.status == "failed"
    if is_failure and order.status is not OrderStatus.PENDING:
        return Decision(replace(order, status=OrderStatus.FAILED))
    return decide(order, outcome)


MUTANT = Mutant(
    "late_failure_wins",
    "M14",
    "fails a paid order when another attempt at paying for it fails",
    Parts(decide=decide_by_last_failure),
)
