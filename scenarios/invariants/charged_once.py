"""A customer pays once per order and gets back what was asked for, however often it is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.evidence import Evidence, can_be_refunded
from scenarios.invariants.finding import Finding, Invariant, Violation
from scenarios.moments import moment


def check(evidence: Evidence) -> Finding:
    """Count captured payments per order at the provider, and what it gave back of each."""
    charges: dict[str, list[Mapping[str, Any]]] = {}
    for payment in evidence.captured():
        charges.setdefault(payment["reference"], []).append(payment)
    violations = [
        Violation(f"order {reference} was charged {len(made)} times", _second_at(made))
        for reference, made in charges.items()
        if len(made) > 1
    ]
    return Finding(len(charges), [*violations, *_given_back_wrongly(evidence)])


def _second_at(payments: Sequence[Mapping[str, Any]]) -> float | None:
    """When a payment was made beside the first, where the provider tells."""
    made_at = sorted(moment(each["created"]) for each in payments if "created" in each)
    return made_at[1] if len(made_at) > 1 else None


def _given_back_wrongly(evidence: Evidence) -> list[Violation]:
    """Compare the refunds that the provider made with what the staff asked for.

    Less is a shop's fault where the provider would have made them, and the shop could not forget
    that it was asked.
    """
    forgot = any(one.forgets and "shop" in one.hosts for one in evidence.disturbances)
    violations = []
    for order in evidence.orders:
        payments = evidence.payments_of(order.id)
        made = sum(
            refund["amount"] for payment in payments for refund in payment.get("refunds", ())
        )
        asked = sum(order.refunds_wished)
        is_owed = made < asked and not forgot and any(map(can_be_refunded, payments))
        if made > asked or is_owed:
            sentence = (
                f"of order {order.id} {made} {order.currency} (minor units) were given back, "
                f"and {asked} were asked for"
            )
            violations.append(Violation(sentence))
    return violations


INVARIANT = Invariant(
    "charged_once",
    "A customer pays once per order and gets back what was asked for, however often it is tried.",
    check,
)
