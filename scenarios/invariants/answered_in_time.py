"""A webhook is answered before the provider gives up waiting, so that it need not come again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation
from scenarios.moments import began_at, ended_at

# Faults by which a call itself is late, or never arrives.
_LATE_BY_ITSELF = ("drop", "delay", "slow_body")
# What the provider notes of an attempt whose answer did not come in time.
_GAVE_UP = "no answer within"


def check(evidence: Evidence) -> Finding:
    """Look for calls without an answer that nothing between provider and shop explains."""
    judged = [
        (delivery, attempt)
        for delivery, attempt in evidence.attempts()
        if not any(kind in _LATE_BY_ITSELF for kind in attempt["faults"])
        and not _is_explained(evidence, attempt)
    ]
    violations = [
        Violation(
            f"a {delivery['type']} (attempt {attempt['number']}) got {attempt['error']}",
            ended_at(attempt),
        )
        for delivery, attempt in judged
        if (attempt.get("error") or "").startswith(_GAVE_UP)
    ]
    return Finding(len(judged), violations)


def _is_explained(evidence: Evidence, attempt: Mapping[str, Any]) -> bool:
    """Whether the world kept shop or provider from their part while the call was under way."""
    if not evidence.disturbances:
        return False
    begin, end = began_at(attempt), ended_at(attempt)
    return any(
        one.stands_between("psp", "shop") and one.overlaps(begin, end)
        for one in evidence.disturbances
    )


INVARIANT = Invariant(
    "answered_in_time",
    "A webhook is answered before the provider gives up waiting, so that it need not come again.",
    check,
)
