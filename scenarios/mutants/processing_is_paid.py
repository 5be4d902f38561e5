"""Ships as soon as the provider has taken the payment on.

People write: ``if payment.status != "failed": order.paid()``, or take ``processing`` and
``authorized`` for success since the money "is as good as there".
Breaks because a payment that is processing can still fail, a bank debit days later.
Shows as goods that leave for a payment that is declined a moment later.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.fulfilment import fulfilment_of
from shop.domain.order import Decision, Order, OrderStatus, decide, later_of
from shop.domain.payment import PaymentOutcome, PaymentReported
from shop.parts import Parts

_AS_GOOD_AS_PAID = ("processing", "authorized")


def decide_early(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly, and take a payment that is under way for one that has succeeded."""
    decision = decide(order, outcome)
    if not isinstance(outcome, PaymentReported) or decision.set_aside is not None:
        return decision
    if outcome.payment.status not in _AS_GOOD_AS_PAID:
        return decision
    paid = replace(decision.order, status=later_of(decision.order.status, OrderStatus.PAID))
    return replace(decision, order=paid, fulfilment=fulfilment_of(order.id, order.items))


MUTANT = Mutant(
    "processing_is_paid",
    "M39",
    "ships while the payment is still being processed",
    Parts(decide=decide_early),
)
