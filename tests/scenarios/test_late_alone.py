"""Who was late while others ran beside it is looked at again alone; all else stands as it is."""

from __future__ import annotations

import pytest

from scenarios.late_alone import looked_at_alone
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict

LATE = "acknowledged_is_acted_on"


def result(name: str, *broken: str, verdict: Verdict | None = None) -> ScenarioResult:
    said = verdict or (Verdict.BROKEN if broken else Verdict.HELD)
    results = [InvariantResult(each, Verdict.BROKEN, 1, "late") for each in broken]
    return ScenarioResult(name, "A promise.", said, 1, 1.0, 1.0, results, {}, None)


class Alone:
    def __init__(self, **outcomes: ScenarioResult) -> None:
        self.outcomes = outcomes
        self.played: list[str] = []

    def __call__(self, name: str) -> ScenarioResult:
        self.played.append(name)
        return self.outcomes.get(name, result(name))


def test_who_holds_alone_was_late_because_of_the_others() -> None:
    alone = Alone()
    verdicts = looked_at_alone([result("one", LATE), result("two"), result("three", LATE)], alone)
    assert [each.verdict for each in verdicts] == [Verdict.HELD] * 3
    assert alone.played == ["one", "three"]


def test_who_is_late_alone_too_is_late_and_so_are_the_others() -> None:
    alone = Alone(one=result("one", LATE))
    first = [result("one", LATE), result("two", LATE, "answered_in_time")]
    assert looked_at_alone(first, alone) == first
    assert alone.played == ["one"]


@pytest.mark.parametrize("broken", [("charged_once",), ("charged_once", LATE)])
def test_who_broke_more_than_a_deadline_is_not_played_again(broken: tuple[str, ...]) -> None:
    alone, first = Alone(), [result("one", *broken)]
    assert looked_at_alone(first, alone) == first
    assert alone.played == []


def test_a_run_alone_that_proves_nothing_changes_nothing() -> None:
    alone, first = Alone(one=result("one", verdict=Verdict.UNPROVEN)), [result("one", LATE)]
    assert looked_at_alone(first, alone) == first
