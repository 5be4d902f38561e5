"""Coverage marks: what has to happen sometimes, or the suite proves less than it says.

A fault that fired need not have hurt anybody. A mark says that the situation came about for which
the fault is there: it is derived from what was seen, never from what was planned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scenarios.evidence import Evidence
from scenarios.marks import of_hosts, of_money, of_requests, of_webhooks
from scenarios.marks.mark import Mark
from scenarios.marks.seen import seen_in
from scenarios.world.trace import Record

MARKS: Mapping[str, Mark] = {
    mark.name: mark
    for module in (of_webhooks, of_requests, of_hosts, of_money)
    for mark in module.MARKS
}


@dataclass(frozen=True, slots=True)
class MarkCount:
    """How often something happened over all runs of a suite."""

    name: str
    summary: str
    count: int


def count_marks(evidence: Evidence, trace: Iterable[Record]) -> dict[str, int]:
    """Return how often each mark was hit in one run of virtual time."""
    seen = seen_in(evidence, trace)
    return {mark.name: mark.count(seen) for mark in MARKS.values()}


def sum_of(counts: Iterable[Mapping[str, int]]) -> list[MarkCount]:
    """Sum up runs, in the order of the table; nothing if no run was looked at for marks."""
    looked_at = [each for each in counts if each]
    if not looked_at:
        return []
    total: Counter[str] = Counter()
    for each in looked_at:
        total.update(each)
    return [MarkCount(mark.name, mark.summary, total[mark.name]) for mark in MARKS.values()]


def doubts_of(marks: Iterable[MarkCount]) -> list[str]:
    """Say of each mark at zero that the suite proves less than it should; one line each."""
    return [
        f"it never happened that {mark.summary} ({mark.name})" for mark in marks if not mark.count
    ]
