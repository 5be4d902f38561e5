"""From scenarios, seeds and a target to results, on as many processes as asked for."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from scenarios.errors import Unreachable
from scenarios.evidence import Played
from scenarios.mutants import CORRECT
from scenarios.scenario import Scenario
from scenarios.targets import live, simulated
from scenarios.verdict import RunResult, ScenarioResult, combine, judge

SIMULATED = "sim"
LIVE = "live"
TARGETS = (SIMULATED, LIVE)


RunAll = Callable[[Iterable["Task"]], Iterator[RunResult]]


@dataclass(frozen=True, slots=True)
class Task:
    """One run to do. ``shop`` is ``correct`` or the name of a mutant."""

    scenario: Scenario
    seed: int
    target: str
    shop: str = CORRECT


def run_task(task: Task) -> RunResult:
    """Play one scenario once and judge it. Raises Unreachable."""
    began = time.perf_counter()
    try:
        with services_quiet():
            played = _play(task)
    except Unreachable as problem:
        raise Unreachable(f"{task.scenario.name} (seed {task.seed}): {problem}") from problem
    evidence = played.evidence
    fired: dict[str, int] = {}
    for fault in evidence.fired:
        fired[fault.kind] = fired.get(fault.kind, 0) + fault.fired
    return RunResult(
        scenario=task.scenario.name,
        seed=task.seed,
        invariants=judge(evidence),
        faults_fired=fired,
        did_not_converge=evidence.still_waiting_for if evidence.orders else "no order was placed",
        simulated_s=played.simulated_s,
        wall_s=time.perf_counter() - began,
        digest=played.digest,
    )


@contextmanager
def services_quiet() -> Iterator[None]:
    """What a service logs about the faults that we inject is no news to who reads the verdict."""
    loggers = [logging.getLogger(name) for name in ("shop", "psp_sim")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _play(task: Task) -> Played:
    play = simulated.play_simulated if task.target == SIMULATED else live.play_live
    return play(task.scenario, task.seed, task.shop)


def run_suite(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    target: str,
    shop: str,
    jobs: int,
    on_result: Callable[[ScenarioResult], None],
) -> list[ScenarioResult]:
    """Run every scenario with every seed; tell each scenario's result as soon as it is known.

    Raises Unreachable.
    """
    tasks = [Task(scenario, seed, target, shop) for scenario in scenarios for seed in seeds]
    results = []
    with parallel(jobs) as run_all:
        outcomes = run_all(tasks)
        for scenario in scenarios:
            runs = [next(outcomes) for _ in seeds]
            result = combine(scenario, runs, _digest(runs))
            results.append(result)
            on_result(result)
    return results


@contextmanager
def parallel(jobs: int) -> Iterator[RunAll]:
    """Give a function that runs tasks on ``jobs`` processes, results in the order of the tasks."""
    if jobs == 1:
        yield lambda tasks: map(run_task, tasks)
        return
    with ProcessPoolExecutor(jobs, get_context("forkserver")) as pool:
        try:
            yield lambda tasks: pool.map(run_task, tasks)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _digest(runs: Sequence[RunResult]) -> str | None:
    digests = [run.digest for run in runs if run.digest is not None]
    if len(digests) != len(runs):
        return None
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
