"""However often the provider tells of a payment, the goods leave once."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Count distinct fulfilments of each order at the warehouse."""
    shipped = {order.id: evidence.fulfilments_of(order.id) for order in evidence.orders}
    violations = [
        Violation(
            f"order {order_id} was fulfilled {len(fulfilments)} times: {', '.join(fulfilments)}",
            _second_at(evidence, order_id),
        )
        for order_id, fulfilments in shipped.items()
        if len(fulfilments) > 1
    ]
    return Finding(sum(bool(fulfilments) for fulfilments in shipped.values()), violations)


def _second_at(evidence: Evidence, order_id: str) -> float:
    """When goods left that had left already."""
    calls = [shipment for shipment in evidence.shipments if shipment.order == order_id]
    return next(
        call.at
        for call in calls[1:]
        if call.fulfilment is None or call.fulfilment != calls[0].fulfilment
    )


INVARIANT = Invariant(
    "fulfilled_at_most_once",
    "However often the provider tells of a payment, the goods leave once.",
    check,
)
