"""In the end the shop believes of every payment what the provider knows."""

from __future__ import annotations

from scenarios.evidence import FAILED, PAID, REVERSED, Evidence
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Compare each order's last status with the provider's payments for it."""
    violations = []
    taken_back = {payment["reference"] for payment in evidence.taken_back()}
    for order in evidence.orders:
        states = [payment["status"] for payment in evidence.payments_of(order.id)]
        if "succeeded" in states:
            wanted = PAID
        elif states and all(state == "failed" for state in states):
            wanted = (REVERSED, *FAILED) if order.id in taken_back else FAILED
        else:
            violations.append(f"order {order.id} is {order.status}, and {_open(states)}")
            continue
        if order.status not in wanted:
            violations.append(
                f"order {order.id} is {order.status}, but its payment {', '.join(states)}"
            )
    return Finding(len(evidence.orders), violations)


def _open(states: list[str]) -> str:
    if not states:
        return "the provider has no payment for it"
    return f"the provider never came to an outcome: its payment is {', '.join(states)}"


INVARIANT = Invariant(
    "shop_agrees_with_provider",
    "In the end the shop believes of every payment what the provider knows.",
    check,
)
