"""A shop notices that its endpoint was disabled or points elsewhere, and webhooks come again."""

from __future__ import annotations

from scenarios.endpoints import what_is_wrong
from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Look at the endpoint in the end, where something has befallen it."""
    if not evidence.endpoint_troubles:
        return Finding(0)
    wrong = what_is_wrong(evidence.endpoints)
    return Finding(evidence.endpoint_troubles, [] if wrong is None else [Violation(wrong)])


INVARIANT = Invariant(
    "endpoint_is_mended",
    "An endpoint that was disabled or points elsewhere is noticed, and webhooks come again.",
    check,
)
