"""One search: plans are played until the budget is spent, failures are told apart and shrunk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from scenarios.search.judge_plan import Outcome, play_plan
from scenarios.search.plan import Plan
from scenarios.search.portfolio import Portfolio, Tier
from scenarios.search.shrink import Shrunk, shrink
from scenarios.search.workers import players

YEAR_S = 365.25 * 86400.0
SHRINK_FOR_S = 120.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to search: a number of runs, or seconds of wall time; ``first`` ends it early.

    ``shrink_for_s`` is how long each failure may be shrunk, in seconds of processor time.
    """

    runs: int | None = None
    seconds: float | None = None
    first: bool = False
    shrink_for_s: float = SHRINK_FOR_S


@dataclass(slots=True)
class Failure:
    """The first plan that broke an invariant, and what became of it when it was shrunk.

    ``plans`` is how many plans broke the same invariant, ``run`` the number of the first of them.
    """

    invariant: str
    found: Plan
    tier: str
    run: int
    plans: int = 1
    shrunk: Shrunk | None = None


@dataclass
class Search:
    """What a search did and found; ``stopped`` tells that it was asked to end before its time."""

    seed: int
    shop: str
    tiers: list[Tier]
    runs: int = 0
    wall_s: float = 0.0
    simulated_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    broken_plans: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    evaluated: Counter[str] = field(default_factory=Counter)
    idle_plans: int = 0
    stopped: bool = False

    @property
    def runs_per_second(self) -> float:
        """How many plans were played in a second of wall time, on all cores together."""
        return self.runs / self.wall_s if self.wall_s else 0.0

    @property
    def years_per_second(self) -> float:
        """How many simulated years passed in a second of wall time."""
        return self.simulated_s / YEAR_S / self.wall_s if self.wall_s else 0.0

    def note(self, tier: Tier, plan: Plan, outcome: Outcome) -> None:
        """Take in the outcome of one plan."""
        self.runs += 1
        tier.played += 1
        self.simulated_s += outcome.simulated_s
        self.evaluated.update(outcome.evaluated)
        for fault, fired in zip(plan.faults, outcome.fired, strict=False):
            self.fired[str(fault["kind"])] += bool(fired)
        self.idle_plans += bool(plan.faults) and not any(outcome.fired)
        self.broken_plans += bool(outcome.broken)
        known = {failure.invariant: failure for failure in self.failures}
        for invariant in outcome.broken:
            if invariant in known:
                known[invariant].plans += 1
            else:
                self.failures.append(Failure(invariant, plan, tier.name, self.runs))


def search(
    shop: str,
    seed: int,
    budget: Budget,
    jobs: int,
    cluster: str | None,
    on_run: Callable[[Search], None],
    is_to_stop: Callable[[], bool] = lambda: False,
) -> Search:
    """Play plans until the budget is spent, then shrink one failure for each broken invariant.

    Once ``is_to_stop``, what is under way is finished, and nothing is shrunk any more. Raises
    WrongUsage and Unreachable for a cluster that cannot be used.
    """
    portfolio = Portfolio(seed)
    portfolio.prepare()
    found = Search(seed, shop, portfolio.tiers)
    began = time.perf_counter()
    tiers: list[Tier] = []

    def plans() -> Iterator[Plan]:
        for tier, plan in islice(portfolio.plans(budget.runs), budget.runs):
            spent_s = time.perf_counter() - began
            is_enough = is_to_stop() or (budget.first and bool(found.failures))
            if is_enough or (budget.seconds is not None and spent_s >= budget.seconds):
                return
            tiers.append(tier)
            yield plan

    with players(shop, jobs, cluster) as play_all:
        for number, (plan, outcome) in enumerate(play_all(plans())):
            found.note(tiers[number], plan, outcome)
            found.wall_s = time.perf_counter() - began
            on_run(found)
    for failure in found.failures:
        failure.shrunk = shrink(
            failure.found,
            failure.invariant,
            lambda plan: play_plan(plan, shop),
            is_time_over=_after(budget.shrink_for_s, is_to_stop),
        )
    found.stopped = is_to_stop()
    return found


def _after(limit_s: float, is_to_stop: Callable[[], bool]) -> Callable[[], bool]:
    """Return what tells whether this process has worked for so long from now on, or is to stop.

    It is time of the processor, so that a busy machine does not leave failures larger.
    """
    ends_at_s = time.process_time() + limit_s
    return lambda: time.process_time() >= ends_at_s or is_to_stop()
