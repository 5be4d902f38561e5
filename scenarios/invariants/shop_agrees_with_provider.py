"""In the end the shop believes of every payment what the provider knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.evidence import Evidence, OrderSeen
from scenarios.expected import OUTCOMES, expected_statuses
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Compare each order's last status with the provider's payments for it."""
    found = [_violation(evidence, order) for order in evidence.orders]
    return Finding(len(found), [Violation(sentence) for sentence in found if sentence is not None])


def _violation(evidence: Evidence, order: OrderSeen) -> str | None:
    payments = evidence.payments_of(order.id)
    states = [payment["status"] for payment in payments]
    is_settled = "succeeded" in states or all(state in OUTCOMES for state in states)
    if not states or not (is_settled or order.never_settles):
        return f"order {order.id} is {order.status}, and {_open(states)}"
    wanted = expected_statuses(payments)
    # Paid is agreement enough where shipped is wanted; that the goods leave is another promise.
    if order.status in wanted or (order.status == "paid" and "fulfilled" in wanted):
        return None
    told = ", ".join(_told(payment) for payment in payments)
    return f"order {order.id} is {order.status}, but its payment {told}"


def _told(payment: Mapping[str, Any]) -> str:
    """Say what became of a payment, and of its money since."""
    disputes = [f"a dispute was {each['status']}" for each in payment.get("disputes", ())]
    refunded = payment.get("amount_refunded", 0)
    refunds = [f"{refunded} {payment['currency']} were given back"] if refunded else []
    failed = [each for each in payment.get("refunds", ()) if each["status"] == "failed"]
    undone = ["a refund of it failed"] if failed else []
    later = " and ".join([*disputes, *refunds, *undone])
    return f"{payment['status']}, and then {later}" if later else str(payment["status"])


def _open(states: list[str]) -> str:
    if not states:
        return "the provider has no payment for it"
    return f"the provider never came to an outcome: its payment is {', '.join(states)}"


INVARIANT = Invariant(
    "shop_agrees_with_provider",
    "In the end the shop believes of every payment what the provider knows.",
    check,
)
