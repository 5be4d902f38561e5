"""From scenarios, seeds and a target to results, on as many processes as asked for."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from psp_sim.domain.duration import format_duration
from scenarios.errors import Unreachable
from scenarios.evidence import Evidence, Played
from scenarios.late_alone import looked_at_alone
from scenarios.mutants import CORRECT
from scenarios.run_on_processes import on_processes
from scenarios.run_together import together
from scenarios.scenario import Scenario
from scenarios.second_look import SecondLook, chosen, difference
from scenarios.situations import what_never_came
from scenarios.targets import external, live, simulated
from scenarios.verdict import RunResult, ScenarioResult, combine, judge
from scenarios.world.errors import Escape, OutOfTime
from scenarios.world.world import LIMIT_S

SIMULATED = "sim"
LIVE = "live"
TARGETS = (SIMULATED, LIVE)
TARGET_FILE_SUFFIX = ".toml"


def is_external(target: str) -> bool:
    """Tell whether a target is somebody's own service, described in a file."""
    return target.endswith(TARGET_FILE_SUFFIX)


RunAll = Callable[[Iterable["Task"]], Iterator[RunResult]]


@dataclass(frozen=True, slots=True)
class Task:
    """One run to do. ``shop`` is ``correct`` or the name of a mutant.

    ``every_call`` looks more closely for what escapes from virtual time.
    """

    scenario: Scenario
    seed: int
    target: str
    shop: str = CORRECT
    keeps_evidence: bool = False
    keeps_trace: bool = False
    every_call: bool = False


def run_task(task: Task) -> RunResult:
    """Play one scenario once and judge it.

    A run that left virtual time, or came to the end of it, proves nothing.

    Raises Unreachable.
    """
    if task.target != SIMULATED:
        return asyncio.run(run_real_task(task))
    began = time.perf_counter()
    try:
        with services_quiet():
            played = simulated.play_simulated(
                task.scenario,
                task.seed,
                task.shop,
                keeps_trace=task.keeps_trace,
                every_call=task.every_call,
            )
    except Unreachable as problem:
        raise _named(task, problem) from problem
    except Escape as problem:
        return _without_evidence(task, time.perf_counter() - began, str(problem))
    except OutOfTime:
        days = f"after {format_duration(LIMIT_S)} something was still to come"
        return _without_evidence(task, time.perf_counter() - began, f"it has no end: {days}")
    return _result(task, played, time.perf_counter() - began)


async def run_real_task(task: Task) -> RunResult:
    """Play one scenario once on real processes. What goes wrong with ours raises Unreachable.

    What goes wrong with somebody's own service is part of the result.
    """
    began = time.perf_counter()
    try:
        if is_external(task.target):
            played = await external.play_external(task.scenario, task.seed, task.target)
        else:
            played = await live.play_live(task.scenario, task.seed, task.shop)
    except Unreachable as problem:
        if not is_external(task.target):
            raise _named(task, problem) from problem
        return _without_evidence(task, time.perf_counter() - began, str(problem))
    return _result(task, played, time.perf_counter() - began)


def _named(task: Task, problem: Unreachable) -> Unreachable:
    return Unreachable(f"{task.scenario.name} (seed {task.seed}): {problem}")


def _without_evidence(task: Task, wall_s: float, trouble: str) -> RunResult:
    return RunResult(
        task.scenario.name,
        task.seed,
        invariants=(),
        faults_fired={},
        did_not_converge=None,
        simulated_s=0.0,
        wall_s=wall_s,
        digest=None,
        trouble=trouble,
    )


def try_service(file: str) -> str | None:
    """Start somebody's service once and buy there; return what seems not to be right with it.

    Raises WrongUsage or Unreachable where nothing can be played.

    Whoever stops us meanwhile leaves nothing running, as with runs.
    """
    with services_quiet(), together(external.check_external, 1) as run_all:
        (hint,) = run_all([file])
    return hint


def _result(task: Task, played: Played, wall_s: float) -> RunResult:
    """Judge what was seen."""
    evidence = played.evidence
    fired: dict[str, int] = {}
    for fault in evidence.fired:
        fired[fault.kind] = fired.get(fault.kind, 0) + fault.fired
    return RunResult(
        scenario=task.scenario.name,
        seed=task.seed,
        invariants=judge(evidence, external.NOT_SHOWN if is_external(task.target) else ()),
        faults_fired=fired,
        did_not_converge=evidence.still_waiting_for if evidence.orders else "no order was placed",
        simulated_s=played.simulated_s,
        wall_s=wall_s,
        digest=played.digest,
        trouble=played.trouble or _undone(evidence),
        never_came=what_never_came(task.scenario.needs, evidence),
        evidence=evidence if task.keeps_evidence else None,
        marks=played.marks,
        trace=played.trace,
    )


def _undone(evidence: Evidence) -> str | None:
    steps = ", ".join(evidence.undone_steps)
    return f"nobody could {steps}, however often it was tried" if steps else None


@contextmanager
def services_quiet() -> Iterator[None]:
    """What a service logs about the faults that we inject is no news to who reads the verdict."""
    loggers = [logging.getLogger(name) for name in ("shop", "psp_sim", "uvicorn.error")]
    heard = [(logger, logger.level) for logger in loggers if logger.level != logging.CRITICAL]
    for logger, _ in heard:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in heard:
            logger.setLevel(level)


def run_suite(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    target: str,
    shop: str,
    jobs: int,
    on_result: Callable[[ScenarioResult], None],
    *,
    keeps_evidence: bool = False,
) -> list[ScenarioResult]:
    """Run every scenario with every seed; tell each scenario's result as soon as it is known.

    In virtual time some are run twice. On somebody's own service, who was late beside others is
    looked at alone. Raises Unreachable.
    """
    tasks = {
        scenario.name: [Task(scenario, seed, target, shop, keeps_evidence) for seed in seeds]
        for scenario in scenarios
    }
    results = []
    with services_quiet(), side_by_side(target, jobs) as run_all:
        outcomes = _looked_at_twice([one for each in tasks.values() for one in each], run_all)
        for scenario in scenarios:
            runs = [next(outcomes) for _ in seeds]
            result = combine(scenario, runs, _digest(runs))
            results.append(result)
            on_result(result)

    def play_alone(name: str) -> ScenarioResult:
        with services_quiet(), side_by_side(target, 1) as run_all:
            runs = list(run_all(tasks[name]))
        return combine(tasks[name][0].scenario, runs, None)

    had_company = min(jobs, len(scenarios) * len(seeds)) > 1
    return looked_at_alone(results, play_alone) if is_external(target) and had_company else results


def _looked_at_twice(tasks: Sequence[Task], run_all: RunAll) -> Iterator[RunResult]:
    """Yield a result for each task; those that are played twice know how that went."""
    in_virtual_time = [task for task in tasks if task.target == SIMULATED]
    twice = set(chosen([(task.scenario.name, task.seed) for task in in_virtual_time]))
    every: list[Task] = []
    for number, task in enumerate(tasks):
        first = replace(task, keeps_trace=number in twice)
        every += [first, replace(first, every_call=True)] if number in twice else [task]
    outcomes = run_all(every)
    for number in range(len(tasks)):
        result = next(outcomes)
        yield _compared(result, next(outcomes)) if number in twice else result


def _compared(first: RunResult, second: RunResult) -> RunResult:
    """Compare two traces; a run that came to no end has none, and its trouble is told as such."""
    if first.digest is None:
        return replace(first, trace=())
    is_cut_off = second.digest is None
    parts_at = second.trouble if is_cut_off else difference(first.trace, second.trace)
    return replace(first, trace=(), second_look=SecondLook(parts_at))


def side_by_side(target: str, jobs: int) -> AbstractContextManager[RunAll]:
    """Give a function that runs tasks, ``jobs`` at a time, results in the order of the tasks.

    Runs in virtual time compute, so each gets a process; real ones mostly wait, all in this one.
    """
    if target == SIMULATED:
        return on_processes(run_task, jobs)
    return together(run_real_task, jobs, length=lambda task: task.scenario.chaos_s)


def _digest(runs: Sequence[RunResult]) -> str | None:
    digests = [run.digest for run in runs if run.digest is not None]
    if len(digests) != len(runs):
        return None
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
