"""However often the provider tells of a payment, the goods leave once."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Count distinct fulfilments of each order at the warehouse."""
    shipped = {order.id: evidence.fulfilments_of(order.id) for order in evidence.orders}
    violations = [
        f"order {order_id} was fulfilled {len(fulfilments)} times: {', '.join(fulfilments)}"
        for order_id, fulfilments in shipped.items()
        if len(fulfilments) > 1
    ]
    return Finding(sum(bool(fulfilments) for fulfilments in shipped.values()), violations)


INVARIANT = Invariant(
    "fulfilled_at_most_once",
    "However often the provider tells of a payment, the goods leave once.",
    check,
)
