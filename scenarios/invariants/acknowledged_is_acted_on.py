"""What the shop has acknowledged it acts upon soon, whatever becomes of other orders."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.acting import acted_on
from scenarios.invariants.finding import Finding, Invariant


def check(evidence: Evidence) -> Finding:
    """Measure from the 2xx to the warehouse, for orders during which the shop did not die."""
    cases = [case for case in acted_on(evidence) if case.died_at is None]
    late = [case.violation("a success was acknowledged") for case in cases if case.is_late]
    return Finding(len(cases), late)


INVARIANT = Invariant(
    "acknowledged_is_acted_on",
    "What the shop has acknowledged it acts upon soon, whatever becomes of other orders.",
    check,
)
