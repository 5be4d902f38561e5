"""The result of a run as JUnit: a suite for each scenario, a case for each of its invariants."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.report.junit import Case, Suite
from scenarios.report.story import Told, replay_command, sentences
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict

# The case that says whether a scenario has proven anything at all.
PROVEN = "it was put to the test"


def run_suites(told: Told) -> Sequence[Suite]:
    """Return the suites. A case that was never at stake, or a scenario unproven, is skipped."""
    return [Suite(result.name, _cases(told, result)) for result in told.results]


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
