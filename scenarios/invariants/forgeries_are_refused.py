"""A webhook that cannot be trusted is answered with 4xx, never with 2xx and never with 5xx."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant

# Faults that make a call one that must be refused.
FORGERIES = (
    "corrupt_signature",
    "wrong_secret",
    "missing_signature",
    "malformed_signature",
    "stale_timestamp",
    "future_timestamp",
    "tamper_body",
    "forge",
    # Half a body cannot fit its signature, whatever else is wrong with it.
    "truncate_body",
)


def check(evidence: Evidence) -> Finding:
    """Look at the answer to each forged call that was answered at all."""
    forged = [
        (delivery, attempt)
        for delivery, attempt in evidence.attempts()
        if attempt["status"] is not None and any(kind in FORGERIES for kind in attempt["faults"])
    ]
    violations = [
        f"a webhook with {' and '.join(attempt['faults'])} ({delivery['type']}) "
        f"was answered {attempt['status']}"
        for delivery, attempt in forged
        if not 400 <= attempt["status"] < 500
    ]
    return Finding(len(forged), violations)


INVARIANT = Invariant(
    "forgeries_are_refused",
    "A webhook that cannot be trusted is answered with 4xx, never with 2xx and never with 5xx.",
    check,
)
