"""Takes every refund for a refund of everything.

People write: ``on("refund.succeeded"): order.refunded(); book(-order.amount)``, since the page in
their back office only ever had a button for all of it.
Breaks because refunds can be for a part, and there can be several.
Shows as books that hold less than the provider does.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import Payment, PaymentOutcome, PaymentReported
from shop.parts import Parts


def decide_all_or_nothing(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide as if the first refund had been for the whole price, and the only one."""
    if isinstance(outcome, PaymentReported) and outcome.payment.refunds:
        return decide(order, PaymentReported(_refunded_as_a_whole(outcome.payment)))
    return decide(order, outcome)


def _refunded_as_a_whole(payment: Payment) -> Payment:
    first = replace(payment.refunds[0], amount_minor=payment.amount_minor)
    return replace(payment, refunds=(first,))


MUTANT = Mutant(
    "partial_refund_is_full",
    "M41",
    "books every refund as one of the whole price",
    Parts(decide=decide_all_or_nothing),
)
