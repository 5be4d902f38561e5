"""Whoever paid gets the goods, whatever was lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.evidence import PAID, Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Look for each captured payment's order, known to the shop, paid and at the warehouse.

    A shop need not know of an order whose money it gave back.
    """
    captured = {payment["reference"] for payment in evidence.captured()}
    violations = []
    for order in evidence.orders:
        if order.id not in captured:
            continue
        if order.status not in PAID:
            violations.append(Violation(f"order {order.id} was paid for and is {order.status}"))
        elif not evidence.fulfilments_of(order.id):
            sentence = f"order {order.id} was paid for and never reached the warehouse"
            violations.append(Violation(sentence))
    kept = {each["reference"] for each in evidence.captured() if not _is_given_back(each)}
    if not any(one.forgets and "shop" in one.hosts for one in evidence.disturbances):
        violations += [
            Violation(f"order {reference} was paid for, and the shop has no such order")
            for reference in evidence.unknown_orders
            if reference in kept
        ]
    return Finding(len(captured), violations)


def _is_given_back(payment: Mapping[str, Any]) -> bool:
    return bool(payment.get("amount_refunded", 0) >= payment["amount"])


INVARIANT = Invariant(
    "every_capture_is_fulfilled",
    "Whoever paid gets the goods, whatever was lost on the way.",
    check,
)
