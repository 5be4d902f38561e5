"""Takes all refunds of an order for undone when one of them comes back.

People write: ``order.refunded = 0`` in the handler of ``refund.failed``, since orders have a column
for a refund and no table of them.
Breaks because an order can have several refunds, and each comes to an end of its own.
Shows as books that hold money which has gone back and stayed away.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.domain.refund import RefundStatus
from shop.parts import Parts


def decide_on_all_refunds(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if none had succeeded once one has failed."""
    if not isinstance(outcome, PaymentReported):
        return decide(order, outcome)
    payment = outcome.payment
    if any(one.status == RefundStatus.FAILED for one in payment.refunds):
        undone = tuple(replace(one, status=RefundStatus.FAILED.value) for one in payment.refunds)
        payment = replace(payment, refunds=undone)
    return decide(order, PaymentReported(payment))


MUTANT = Mutant(
    "one_return_undoes_all",
    "M41",
    "takes every refund of an order for undone when one of them comes back",
    Parts(decide=decide_on_all_refunds),
)
