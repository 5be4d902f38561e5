"""No genuine webhook is turned away: not while secrets rotate, not when it comes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psp_sim.domain.delivery import DeliveryState
from scenarios.evidence import Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation
from scenarios.invariants.forgeries_are_refused import FORGERIES, WINDOW_S
from scenarios.moments import began_at, ended_at

# Answers that put the sender off without refusing the message.
_LATER = (408, 425, 429)

# An error may be over at the next attempt. One that is not in so many is a refusal.
_ERRORS_MIN = 3

# A call beside the genuine one. That it is taken says nothing of the event that is delivered.
_OF_ANOTHER_EVENT = "unknown_event_type"

# A limit on the size of a body is the receiver's right, and 413 the answer that says so.
_TOO_LARGE = 413


def _came_too_late(evidence: Evidence, attempt: Mapping[str, Any]) -> bool:
    """Tell whether the network held a call for so long that it may be a replay by its time.

    That is so earlier by a clock that is ahead.
    """
    signed_at = attempt.get("webhook_timestamp")
    if signed_at is None:
        return False
    begin, end = began_at(attempt), ended_at(attempt)
    ahead_s = max(
        (
            one.clock_off_s
            for one in evidence.disturbances
            if "shop" in one.hosts and one.overlaps(begin, end)
        ),
        default=0.0,
    )
    return bool(end + max(ahead_s, 0.0) - signed_at > WINDOW_S)


def check(evidence: Evidence) -> Finding:
    """Look for 4xx among the answers to genuine calls, and for 3xx: senders follow no redirect.

    And for webhooks to which nothing but 5xx was ever answered, until no attempt was left.
    """
    genuine = [
        (delivery, attempt)
        for delivery, attempt in evidence.attempts()
        if _is_genuine(evidence, attempt)
    ]
    violations = [
        Violation(
            f"a genuine {delivery['type']} (attempt {attempt['number']}) was refused with "
            f"{attempt['status']}: {attempt['answer'][:120]}",
            ended_at(attempt),
        )
        for delivery, attempt in genuine
        if 300 <= attempt["status"] < 500
        and attempt["status"] not in _LATER
        and not (attempt["status"] == _TOO_LARGE and "oversize_body" in attempt["faults"])
    ]
    return Finding(len(genuine), [*violations, *_never_taken(evidence)])


def _is_genuine(evidence: Evidence, attempt: Mapping[str, Any]) -> bool:
    """Tell whether a call was answered, and had every right to be taken."""
    is_forged = any(kind in FORGERIES for kind in attempt["faults"])
    is_answered = attempt["status"] is not None
    return is_answered and not is_forged and not _came_too_late(evidence, attempt)


def _never_taken(evidence: Evidence) -> Iterator[Violation]:
    for delivery in evidence.deliveries:
        calls = [
            each
            for each in delivery["attempts"]
            if _is_genuine(evidence, each) and _OF_ANOTHER_EVENT not in each["faults"]
        ]
        is_over = delivery["state"] == DeliveryState.EXHAUSTED and len(calls) >= _ERRORS_MIN
        if is_over and all(each["status"] >= 500 for each in calls):
            last = calls[-1]
            yield Violation(
                f"a genuine {delivery['type']} was answered with {last['status']} the last of "
                f"{len(calls)} times, and never better: {last['answer'][:120]}",
                ended_at(last),
            )


INVARIANT = Invariant(
    "genuine_webhooks_are_accepted",
    "No genuine webhook is turned away: not while secrets rotate, not when it comes again.",
    check,
)
