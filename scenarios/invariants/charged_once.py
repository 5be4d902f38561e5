"""A customer pays once per order, however often a request had to be repeated."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Count captured payments per order at the provider."""
    counts: dict[str, int] = {}
    for payment in evidence.captured():
        counts[payment["reference"]] = counts.get(payment["reference"], 0) + 1
    violations = [
        f"order {reference} was charged {count} times"
        for reference, count in counts.items()
        if count > 1
    ]
    return Finding(len(counts), violations)


INVARIANT = Invariant(
    "charged_once",
    "A customer pays once per order, however often a request had to be repeated.",
    check,
)
