"""Every scenario against every broken shop: the proof that the suite can fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scenarios.invariants import INVARIANTS
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.run_suite import Task, services_quiet, side_by_side
from scenarios.scenario import Scenario
from scenarios.verdict import ScenarioResult, Verdict, combine


@dataclass(frozen=True, slots=True)
class Cell:
    """One shop in one scenario: the verdict, and the invariants that broke."""

    verdict: Verdict
    broken: Sequence[str] = ()

    @property
    def is_broken(self) -> bool:
        """Whether the scenario caught the shop."""
        return self.verdict is Verdict.BROKEN


@dataclass(frozen=True, slots=True)
class MutantRow:
    """One mutant: its cells by scenario, as far as they were played, and who must catch it."""

    name: str
    bug: str
    summary: str
    cells: Mapping[str, Cell]
    expected_by: Sequence[str]

    @property
    def killed_by(self) -> list[str]:
        """Scenarios that broke on the mutant."""
        return [name for name, cell in self.cells.items() if cell.is_broken]

    @property
    def missed_by(self) -> list[str]:
        """Scenarios that name the mutant and did not break on it."""
        return [name for name in self.expected_by if name not in self.killed_by]

    @property
    def is_killed(self) -> bool:
        """A mutant is killed when each scenario that names it broke, and at least one did."""
        return bool(self.killed_by) and bool(self.expected_by) and not self.missed_by

    @property
    def killers(self) -> list[str]:
        """The invariants that broke in any scenario."""
        broken = {name for cell in self.cells.values() for name in cell.broken}
        return [name for name in INVARIANTS if name in broken]


@dataclass(frozen=True, slots=True)
class InvariantRow:
    """What one invariant is good for: some mutants would live on without it."""

    name: str
    kills: Sequence[str]
    only_killer_of: Sequence[str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole table; with ``named_only`` just the pairs in which a scenario names a mutant."""

    scenarios: Sequence[str]
    rows: Sequence[MutantRow]
    correct: Mapping[str, Cell]
    named_only: bool = False
    invariants: Sequence[InvariantRow] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "invariants", [_invariant(name, self.rows) for name in INVARIANTS])

    @property
    def false_alarms(self) -> list[str]:
        """Scenarios that break on the correct shop."""
        return [name for name, cell in self.correct.items() if cell.is_broken]

    @property
    def unproven(self) -> list[str]:
        """Scenarios that prove nothing on the correct shop."""
        return [name for name, cell in self.correct.items() if cell.verdict is Verdict.UNPROVEN]

    @property
    def survivors(self) -> list[str]:
        """Mutants that some scenario should have caught and did not, or that none names."""
        return [row.name for row in self.rows if not row.is_killed]

    @property
    def idle_invariants(self) -> list[str]:
        """Invariants without which every mutant would die all the same."""
        return [row.name for row in self.invariants if not row.only_killer_of]


def run_matrix(
    scenarios: Sequence[Scenario],
    seed: int,
    target: str,
    jobs: int,
    on_row: Callable[[str, Sequence[str]], None],
    *,
    named_only: bool = False,
) -> Matrix:
    """Run the correct shop and every mutant through every scenario. Raises Unreachable.

    ``named_only`` leaves out the pairs in which the scenario does not name the mutant.
    ``on_row`` is told each shop's name and the scenarios that broke on it.
    """
    played = {
        shop: [each for each in scenarios if not named_only or _is_named(each, shop)]
        for shop in (CORRECT, *MUTANTS)
    }
    tasks = [Task(each, seed, target, shop) for shop, theirs in played.items() for each in theirs]
    cells: dict[str, dict[str, Cell]] = {}
    with services_quiet(), side_by_side(target, jobs) as run_all:
        outcomes = run_all(tasks)
        for shop, theirs in played.items():
            cells[shop] = {s.name: _cell(combine(s, [next(outcomes)], None)) for s in theirs}
            on_row(shop, [name for name, cell in cells[shop].items() if cell.is_broken])
    rows = [
        MutantRow(
            mutant.name,
            mutant.bug,
            mutant.summary,
            cells[mutant.name],
            [scenario.name for scenario in scenarios if mutant.name in scenario.catches],
        )
        for mutant in MUTANTS.values()
    ]
    return Matrix([s.name for s in scenarios], rows, cells[CORRECT], named_only)


def _is_named(scenario: Scenario, shop: str) -> bool:
    """Tell whether a scenario must catch a shop; the correct one is played where any is named."""
    return bool(scenario.catches) if shop == CORRECT else shop in scenario.catches


def _cell(result: ScenarioResult) -> Cell:
    broken = [each.name for each in result.invariants if each.verdict is Verdict.BROKEN]
    return Cell(result.verdict, broken)


def _invariant(name: str, rows: Sequence[MutantRow]) -> InvariantRow:
    return InvariantRow(
        name,
        kills=[row.name for row in rows if name in row.killers],
        only_killer_of=[row.name for row in rows if _needs(row, name)],
    )


def _needs(row: MutantRow, invariant: str) -> bool:
    """Tell whether some scenario would miss a mutant that it must catch, but for an invariant."""
    return any(
        list(row.cells[scenario].broken) == [invariant]
        for scenario in row.expected_by
        if scenario in row.cells
    )
