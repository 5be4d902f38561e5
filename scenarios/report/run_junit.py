"""The result of a run as JUnit: a suite for each scenario, a case for each of its invariants."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.marks import MarkCount
from scenarios.report.junit import Case, Suite
from scenarios.report.story import Told, replay_command, sentences
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict

# The case that says whether a scenario has proven anything at all.
PROVEN = "it was put to the test"
MARKED = "what has to happen sometimes"


def run_suites(told: Told) -> Sequence[Suite]:
    """Return the suites. A case that was never at stake, or a scenario unproven, is skipped.

    A whole suite has one more: a case for each mark, skipped if it was never hit.
    """
    suites = [Suite(result.name, _cases(told, result)) for result in told.results]
    marks = [Suite(MARKED, [_marked(mark) for mark in told.marks])] if told.is_whole else []
    return [*suites, *marks]


def _marked(mark: MarkCount) -> Case:
    never = None if mark.count else f"it never happened that {mark.summary}"
    return Case(mark.name, skipped=never, details=f"{mark.summary}: {mark.count} times")


def _cases(told: Told, result: ScenarioResult) -> list[Case]:
    reasons = "; ".join(result.reasons) or None
    proven = Case(PROVEN, result.wall_s, skipped=reasons, details=result.summary)
    return [proven, *(_case(told, result, each) for each in result.invariants)]


def _case(told: Told, result: ScenarioResult, invariant: InvariantResult) -> Case:
    if invariant.verdict is Verdict.BROKEN:
        lines = [
            *sentences(told, result, invariant),
            f"Play it again: {replay_command(told, result)}",
        ]
        return Case(invariant.name, failure=invariant.message, details="\n".join(lines))
    if invariant.verdict is Verdict.UNPROVEN:
        return Case(invariant.name, skipped="nothing in this scenario could have broken it")
    return Case(invariant.name)
