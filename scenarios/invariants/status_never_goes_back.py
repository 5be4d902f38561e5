"""A paid order stays paid: late and repeated news never takes it back."""

from __future__ import annotations

from itertools import pairwise

from scenarios.evidence import CORRECTED, PAID, RANKS, Evidence
from scenarios.invariants.finding import Finding, Invariant, Violation


def check(evidence: Evidence) -> Finding:
    """Compare each status that a customer saw with the one before."""
    steps = [
        (order.id, before, after, at)
        for order in evidence.orders
        for (since, before), (at, after) in pairwise(order.history)
        if not _was_forgotten(evidence, since, at)
    ]
    violations = [
        Violation(f"order {order_id} went back from {before} to {after}", at)
        for order_id, before, after, at in steps
        if RANKS.get(after, 0) < RANKS.get(before, 0)
        and not _is_undone(evidence, order_id, before, after)
    ]
    return Finding(len(steps), violations)


def _was_forgotten(evidence: Evidence, begin: float, end: float) -> bool:
    """Whether a power cut took commits from the shop in between: then it cannot know better."""
    return any(
        one.forgets and "shop" in one.hosts and one.overlaps(begin, end)
        for one in evidence.disturbances
    )


def _is_undone(evidence: Evidence, order_id: str, before: str, after: str) -> bool:
    """Whether a correction was taken back for a reason: the order is as it was before it."""
    return before in CORRECTED and after in PAID and evidence.has_undone_corrections(order_id)


INVARIANT = Invariant(
    "status_never_goes_back",
    "A paid order stays paid: late and repeated news never takes it back.",
    check,
)
