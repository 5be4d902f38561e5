"""What may be wrong with a service: broken shops of ours that break the same promise in virtual
time, in the scenario in which the service broke it."""

from __future__ import annotations

from collections.abc import Iterable

from scenarios.mutants import MUTANTS
from scenarios.run_suite import SIMULATED, Task, run_task
from scenarios.scenario import Scenario
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict

# Whoever misses an outcome is late at first, and wrong in the end.
_MISSED = {
    "every_capture_is_fulfilled",
    "shop_agrees_with_provider",
    "acknowledged_is_acted_on",
    "acknowledged_survives_a_crash",
}


def known_causes(scenario: Scenario, result: ScenarioResult) -> list[str]:
    """Say what breaks the scenario elsewhere as it was broken here, one sentence each."""
    broken = _broken(result.invariants)
    if not broken:
        return []
    return [
        MUTANTS[name].summary
        for name in scenario.catches
        if broken & _broken(run_task(Task(scenario, 1, SIMULATED, name)).invariants)
    ]


def _broken(results: Iterable[InvariantResult]) -> set[str]:
    broken = {each.name for each in results if each.verdict is Verdict.BROKEN}
    return broken | _MISSED if broken & _MISSED else broken
