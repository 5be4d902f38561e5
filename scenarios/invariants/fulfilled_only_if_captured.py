"""Nothing leaves and nothing counts as paid unless the provider holds the exact money."""

from __future__ import annotations

from scenarios.evidence import PAID, Evidence, OrderSeen
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Look for the captured payment behind each order that is paid or has left.

    A payment that the bank took back later was there when the goods left.
    """
    believed = [
        order
        for order in evidence.orders
        if order.status in PAID or evidence.fulfilments_of(order.id)
    ]
    refused = [order for order in evidence.orders if order not in believed]
    violations = [
        Violation(
            f"order {order.id} counts as paid, but the provider holds no payment of "
            f"{_price(order)}",
            _believed_at(evidence, order),
        )
        for order in believed
        if not _is_covered(evidence, order)
    ]
    return Finding(len(believed) + len(refused), violations)


def _believed_at(evidence: Evidence, order: OrderSeen) -> float:
    """When the shop was first seen to count the order as paid."""
    seen = [at for at, status in order.history if status in PAID]
    left = [shipment.at for shipment in evidence.shipments if shipment.order == order.id]
    return min([*seen, *left])


def _is_covered(evidence: Evidence, order: OrderSeen) -> bool:
    wanted = (order.amount_minor, order.currency)
    return any(
        order.amount_minor is None or (payment["amount"], payment["currency"]) == wanted
        for payment in (*evidence.captured(), *evidence.taken_back())
        if payment["reference"] == order.id
    )


def _price(order: OrderSeen) -> str:
    return f"{order.amount_minor} {order.currency} (minor units) for it"


INVARIANT = Invariant(
    "fulfilled_only_if_captured",
    "Nothing leaves and nothing counts as paid unless the provider holds the exact money.",
    check,
)
