"""What the shop acknowledged before it died it acts upon afterwards, without being told again."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.acting import acted_on
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Measure from the 2xx to the warehouse, for orders during which the shop died."""
    cases = [case for case in acted_on(evidence) if case.died_at is not None]
    late = [
        case.violation("the shop died after it had acknowledged a success")
        for case in cases
        if case.is_late
    ]
    return Finding(len(cases), late)


INVARIANT = Invariant(
    "acknowledged_survives_a_crash",
    "What the shop acknowledged before it died it acts upon afterwards, without being told again.",
    check,
)
