"""Many plans on many processes, or on a cluster: outcomes come back in the order of the plans."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context

from scenarios.errors import Unreachable, WrongUsage
from scenarios.run_suite import services_quiet
from scenarios.search.judge_plan import Outcome, play_plan
from scenarios.search.plan import Plan

# Enough work for the way to another process to cost next to nothing.
CHUNK = 16
CONNECT_TIMEOUT_S = 10

PlayAll = Callable[[Iterable[Plan]], Iterator[tuple[Plan, Outcome]]]


@contextmanager
def players(shop: str, jobs: int, cluster: str | None = None) -> Iterator[PlayAll]:
    """Give a function that plays plans on ``jobs`` processes or on a cluster's workers.

    It draws plans from its argument only as fast as they are played, so the argument may end the
    search at any time. Raises WrongUsage or Unreachable for a cluster that cannot be used.
    """
    if cluster is not None:
        with _cluster(cluster) as (executor, workers):
            yield lambda plans: _through(executor, workers, plans, shop)
    elif jobs == 1:
        yield lambda plans: ((plan, play_plan(plan, shop)) for plan in plans)
    else:
        with ProcessPoolExecutor(jobs, get_context("forkserver")) as pool:
            try:
                yield lambda plans: _through(pool, jobs, plans, shop)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def play_chunk(plans: Sequence[Plan], shop: str) -> list[Outcome]:
    """Play some plans one after the other, in whichever process this is called."""
    with services_quiet():
        return [play_plan(plan, shop) for plan in plans]


def _through(
    executor: Executor, workers: int, plans: Iterable[Plan], shop: str
) -> Iterator[tuple[Plan, Outcome]]:
    """Keep every worker busy with a chunk and have another one waiting for it."""
    rest = iter(plans)
    under_way: deque[tuple[list[Plan], Future[list[Outcome]]]] = deque()
    while True:
        while len(under_way) < 2 * workers and (chunk := list(islice(rest, CHUNK))):
            under_way.append((chunk, executor.submit(play_chunk, chunk, shop)))
        if not under_way:
            return
        chunk, outcomes = under_way.popleft()
        yield from zip(chunk, outcomes.result(), strict=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to a Dask scheduler; its executor takes the same work as a pool of processes."""
    try:
        from distributed import Client
    except ImportError:
        raise WrongUsage("--cluster needs the extra `cluster`: pip install '.[cluster]'") from None
    try:
        client = Client(address, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError) as problem:
        raise Unreachable(f"no Dask scheduler answers at {address}: {problem}") from problem
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise Unreachable(f"the Dask scheduler at {address} has no workers")
        yield client.get_executor(pure=False), workers
