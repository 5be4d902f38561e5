"""A cause is named only if it breaks the same promise in the same scenario."""

from __future__ import annotations

import pytest

from scenarios.known_causes import known_causes
from scenarios.mutants import MUTANTS
from scenarios.scenario_files import select
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict


def result(*broken: str) -> ScenarioResult:
    results = [InvariantResult(each, Verdict.BROKEN, 1, "broken") for each in broken]
    verdict = Verdict.BROKEN if broken else Verdict.HELD
    return ScenarioResult("one", "A promise.", verdict, 1, 1.0, 1.0, results, {}, None)


@pytest.mark.parametrize(
    ("scenario", "broken", "causes"),
    [
        ("slow_warehouse", ["answered_in_time"], ["works_before_answering"]),
        ("slow_warehouse", ["fulfilled_at_most_once"], []),
        ("slow_warehouse", [], []),
        ("crash_after_answer", ["acknowledged_survives_a_crash"], ["acknowledge_before_storing"]),
        (
            "large_webhooks",
            ["genuine_webhooks_are_accepted"],
            ["verifies_reserialised_json", "large_bodies_refused"],
        ),
    ],
)
def test_a_cause_breaks_what_was_broken(
    scenario: str, broken: list[str], causes: list[str]
) -> None:
    (played,) = select([scenario])
    assert known_causes(played, result(*broken)) == [MUTANTS[each].summary for each in causes]
