"""The shop's books hold exactly the money that the provider captured, in every currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation

# The account of the shop's ledger that holds what the provider owes it.
ACCOUNT = "provider"


def check(evidence: Evidence) -> Finding:
    """Compare per currency; a target without a readable ledger is not judged."""
    if evidence.ledger is None:
        return Finding(0)
    captured: Counter[str] = Counter()
    for payment in evidence.captured():
        captured[payment["currency"]] += _kept(payment)
    booked = Counter(evidence.ledger.get(ACCOUNT, {}))
    violations = [
        f"the shop's books hold {booked[currency]} {currency} (minor units), "
        f"the provider captured {captured[currency]}"
        for currency in sorted({*captured, *booked})
        if booked[currency] != captured[currency]
    ]
    sums: Counter[str] = Counter()
    for balances in evidence.ledger.values():
        sums.update(balances)
    violations += [
        f"the shop's ledger does not balance in {currency}: its accounts sum to {total}"
        for currency, total in sorted(sums.items())
        if total
    ]
    return Finding(len(captured), [Violation(sentence) for sentence in violations])


def _kept(payment: Mapping[str, Any]) -> int:
    """Return what is left of a captured payment after refunds and disputes, in minor units."""
    gone = sum(
        dispute["amount"]
        for dispute in payment.get("disputes", ())
        if dispute["status"] in ("opened", "lost")
    )
    taken = payment.get("amount_captured", payment["amount"])
    return int(taken - payment.get("amount_refunded", 0) - gone)


INVARIANT = Invariant(
    "money_balances",
    "The shop's books hold exactly the money that the provider captured, in every currency.",
    check,
)
