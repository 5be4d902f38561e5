"""Many plans on many processes, or on a cluster: outcomes come back in the order of the plans."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from itertools import islice

from scenarios.errors import Unreachable, WrongUsage
from scenarios.run_on_processes import on_processes
from scenarios.run_suite import services_quiet
from scenarios.search.judge_plan import Outcome, play_plan
from scenarios.search.plan import Plan

# Enough work for the way to another process to cost next to nothing.
CHUNK = 16
CONNECT_TIMEOUT_S = 10

PlayAll = Callable[[Iterable[Plan]], Iterator[tuple[Plan, Outcome]]]
RunChunks = Callable[[Iterable[Sequence[Plan]]], Iterator[list[Outcome]]]


@contextmanager
def players(shop: str, jobs: int, cluster: str | None = None) -> Iterator[PlayAll]:
    """Give a function that plays plans on ``jobs`` processes or on a cluster's workers.

    It draws plans from its argument only as fast as they are played, so the argument may end the
    search at any time. Raises WrongUsage or Unreachable for a cluster that cannot be used.
    """
    work = partial(play_chunk, shop=shop)
    if cluster is not None:
        with _cluster(cluster) as (executor, workers):
            yield partial(_in_chunks, partial(_through, executor, 2 * workers, work))
    elif jobs == 1:
        yield lambda plans: ((plan, play_plan(plan, shop)) for plan in plans)
    else:
        # One chunk for each is under way, and as many wait for those that are slow.
        with on_processes(work, jobs, ahead=2 * jobs) as run_all:
            yield partial(_in_chunks, run_all)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def play_chunk(plans: Sequence[Plan], shop: str) -> list[Outcome]:
    """Play some plans one after the other, in whichever process this is called."""
    with services_quiet():
        return [play_plan(plan, shop) for plan in plans]


def _in_chunks(run_all: RunChunks, plans: Iterable[Plan]) -> Iterator[tuple[Plan, Outcome]]:
    """Play plans a chunk at a time."""
    rest = iter(plans)
    under_way: deque[list[Plan]] = deque()

    def chunks() -> Iterator[list[Plan]]:
        while chunk := list(islice(rest, CHUNK)):
            under_way.append(chunk)
            yield chunk

    for outcomes in run_all(chunks()):
        yield from zip(under_way.popleft(), outcomes, strict=True)


def _through(
    executor: Executor,
    ahead: int,
    work: Callable[[Sequence[Plan]], list[Outcome]],
    chunks: Iterable[Sequence[Plan]],
) -> Iterator[list[Outcome]]:
    """Keep every worker busy with a chunk and have another one waiting for it."""
    rest = iter(chunks)
    under_way: deque[Future[list[Outcome]]] = deque()
    while True:
        fresh = islice(rest, ahead - len(under_way))
        under_way.extend(executor.submit(work, chunk) for chunk in fresh)
        if not under_way:
            return
        yield under_way.popleft().result()


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
