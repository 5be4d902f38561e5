"""A customer pays once per order and gets back what was asked for, however often it is tried."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Count captured payments per order at the provider, and what it gave back of each."""
    counts: dict[str, int] = {}
    for payment in evidence.captured():
        counts[payment["reference"]] = counts.get(payment["reference"], 0) + 1
    violations = [
        f"order {reference} was charged {count} times"
        for reference, count in counts.items()
        if count > 1
    ]
    return Finding(len(counts), [*violations, *_given_back_twice(evidence)])


def _given_back_twice(evidence: Evidence) -> list[str]:
    """Compare the refunds that the provider made with what the staff asked for."""
    violations = []
    for order in evidence.orders:
        made = sum(
            refund["amount"]
            for payment in evidence.payments_of(order.id)
            for refund in payment.get("refunds", ())
        )
        asked = sum(order.refunds_wished)
        if made > asked:
            violations.append(
                f"of order {order.id} {made} {order.currency} (minor units) were given back, "
                f"and {asked} were asked for"
            )
    return violations


INVARIANT = Invariant(
    "charged_once",
    "A customer pays once per order and gets back what was asked for, however often it is tried.",
    check,
)
