"""Every scenario against every broken shop: the proof that the suite can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.mutants import CORRECT, MUTANTS
from scenarios.run_suite import Task, parallel
from scenarios.scenario import Scenario
from scenarios.verdict import Verdict, combine


@dataclass(frozen=True, slots=True)
class MutantRow:
    """Which scenarios broke on one mutant, and which say that they must."""

    name: str
    bug: str
    killed_by: Sequence[str]
    expected_by: Sequence[str]

    @property
    def missed_by(self) -> list[str]:
        """Scenarios that name the mutant and did not break on it."""
        return [name for name in self.expected_by if name not in self.killed_by]

    @property
    def is_killed(self) -> bool:
        """A mutant is killed when each scenario that names it broke, and at least one did."""
        return bool(self.killed_by) and bool(self.expected_by) and not self.missed_by


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole table. ``false_alarms`` broke on the correct shop, or proved nothing there."""

    scenarios: Sequence[str]
    rows: Sequence[MutantRow]
    false_alarms: Sequence[str]
    unproven: Sequence[str]

    @property
    def survivors(self) -> list[str]:
        """Mutants that some scenario should have caught and did not, or that none names."""
        return [row.name for row in self.rows if not row.is_killed]


def run_matrix(
    scenarios: Sequence[Scenario],
    seed: int,
    target: str,
    jobs: int,
    on_row: Callable[[str, Sequence[str]], None],
) -> Matrix:
    """Run the correct shop and every mutant through every scenario. Raises Unreachable.

    ``on_row`` is told each shop's name and the scenarios that broke on it.
    """
    shops = [CORRECT, *MUTANTS]
    verdicts: dict[str, dict[str, Verdict]] = {}
    tasks = [Task(scenario, seed, target, shop) for shop in shops for scenario in scenarios]
    with parallel(jobs) as run_all:
        outcomes = run_all(tasks)
        for shop in shops:
            verdicts[shop] = {s.name: combine(s, [next(outcomes)], None).verdict for s in scenarios}
            on_row(shop, _broken(verdicts[shop]))
    rows = [
        MutantRow(
            mutant.name,
            mutant.bug,
            _broken(verdicts[mutant.name]),
            [scenario.name for scenario in scenarios if mutant.name in scenario.catches],
        )
        for mutant in MUTANTS.values()
    ]
    correct = verdicts[CORRECT]
    unproven = [name for name, verdict in correct.items() if verdict is Verdict.UNPROVEN]
    return Matrix([s.name for s in scenarios], rows, _broken(correct), unproven)


def _broken(verdicts: dict[str, Verdict]) -> list[str]:
    return [name for name, verdict in verdicts.items() if verdict is Verdict.BROKEN]
