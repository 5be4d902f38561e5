"""A webhook that cannot be trusted is answered with 4xx, never with 2xx and never with 5xx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation
from scenarios.moments import began_at, ended_at

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

# Faults that shift the time of a call; only a shift beyond every receiver's window must be refused
# (Standard Webhooks' libraries take five minutes).
_SHIFTED = ("stale_timestamp", "future_timestamp")
WINDOW_S = 300.0
_ROUNDED_S = 1.0


def must_be_refused(attempt: Mapping[str, Any]) -> bool:
    """Tell whether a call cannot be trusted. One that is shifted within the window may be."""
    forged = [kind for kind in attempt["faults"] if kind in FORGERIES]
    if not forged or any(kind not in _SHIFTED for kind in forged):
        return bool(forged)
    if "webhook_timestamp" not in attempt:
        return True
    shift_s: float = abs(attempt["webhook_timestamp"] - began_at(attempt))
    return shift_s > WINDOW_S + _ROUNDED_S


def check(evidence: Evidence) -> Finding:
    """Look at the answer to each forged call that was answered at all."""
    forged = [
        (delivery, attempt)
        for delivery, attempt in evidence.attempts()
        if attempt["status"] is not None and must_be_refused(attempt)
    ]
    violations = [
        Violation(
            f"a webhook with {' and '.join(attempt['faults'])} ({delivery['type']}) "
            f"was answered {attempt['status']}",
            ended_at(attempt),
        )
        for delivery, attempt in forged
        if not 400 <= attempt["status"] < 500
    ]
    return Finding(len(forged), violations)


INVARIANT = Invariant(
    "forgeries_are_refused",
    "A webhook that cannot be trusted is answered with 4xx, never with 2xx and never with 5xx.",
    check,
)
