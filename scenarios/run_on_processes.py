"""Jobs that compute, on processes of their own, which never outlive whoever asked for them.

A pool of the standard library waits for what its processes are at, and leaves them behind when it
is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from scenarios.errors import Unreachable

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextmanager
def on_processes(
    work: Callable[[Job], Result],
    jobs: int,
    ahead: int | None = None,
    length: Callable[[Job], float] = lambda _: 0.0,
) -> Iterator[Callable[[Iterable[Job]], Iterator[Result]]]:
    """Give a function that does jobs on ``jobs`` processes, results in the jobs' order.

    It draws ``ahead`` more jobs than results were taken (None: all), begins the longest of those
    first, and raises what ``work`` raised in the job's turn. However this ends, the processes end
    at once, also if this one is killed. Raises Unreachable if one of them dies by itself.
    """
    if jobs == 1:
        yield partial(map, work)
        return
    workers: list[_Worker] = []
    try:
        yield lambda every: _in_order(work, jobs, ahead, length, workers, every)
    finally:
        for worker in workers:
            worker.end()


def _in_order(
    work: Callable[[Job], Any],
    jobs: int,
    ahead: int | None,
    length: Callable[[Job], float],
    workers: list[_Worker],
    every: Iterable[Job],
) -> Iterator[Any]:
    """Keep every process busy; yield a result as soon as those before it have been."""
    rest = iter(every)
    waiting: deque[tuple[int, Job]] = deque()
    done: dict[int, _Outcome] = {}
    drawn = taken = 0
    while True:
        fresh = list(islice(rest, None if ahead is None else taken + ahead - drawn))
        waiting.extend(sorted(enumerate(fresh, drawn), key=lambda one: -length(one[1])))
        drawn += len(fresh)
        _give_out(work, jobs, workers, waiting)
        if taken in done:
            yield done.pop(taken).result()
            taken += 1
        elif under_way := {each.line: each for each in workers if each.is_busy}:
            done.update(under_way[line].take() for line in wait(list(under_way)))  # type: ignore[index]
        else:
            return


def _give_out(
    work: Callable[[Job], Any], jobs: int, workers: list[_Worker], waiting: deque[tuple[int, Job]]
) -> None:
    """Let every process have a job; there are no more processes than jobs."""
    while waiting and (busy := sum(each.is_busy for each in workers)) < jobs:
        if busy == len(workers):
            workers.append(_Worker(work))
        next(each for each in workers if not each.is_busy).give(*waiting.popleft())


class _Outcome:
    """What became of a job: what it returned, or what it raised with where that was."""

    def __init__(self, work: Callable[[Any], Any], job: bytes) -> None:
        self._problem: Exception | None = None
        self._result = None
        try:
            self._result = work(pickle.loads(job))  # noqa: S301 - it comes from our own parent
        except Exception as problem:
            problem.add_note("".join(traceback.format_exception(problem)))
            self._problem = problem

    def result(self) -> Any:
        """Return the result, or raise."""
        if self._problem is not None:
            raise self._problem
        return self._result


class _Worker:
    """A process that does one job after the other. It ends when our end of its line is closed."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = get_context("forkserver")
        self._number: int | None = None
        self.line, self._theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._theirs, work), daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether it has a job whose result was not taken."""
        return self._number is not None

    def give(self, number: int, job: Any) -> None:
        """Let it do a job. Raises Unreachable if it is dead."""
        if self._process.pid is None:
            self._start()
        self._number = number
        with self._told_if_dead():
            self.line.send_bytes(pickle.dumps(job))

    def take(self) -> tuple[int, _Outcome]:
        """Wait for the outcome of its job, and return that with its number. Raises Unreachable."""
        assert self._number is not None
        number, self._number = self._number, None
        with self._told_if_dead():
            return number, self.line.recv()

    def end(self) -> None:
        """End it, whatever it is at."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.line.close()

    def _start(self) -> None:
        """Start it such that what stops us does not disturb it: it ends with us.

        What takes care of shared memory comes first, since its start lets signals through again.
        """
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._theirs.close()

    @contextmanager
    def _told_if_dead(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as problem:
            self._process.join()
            status = self._process.exitcode
            raise Unreachable(f"one of our own processes ended in its work: {status}") from problem


def _serve(line: Connection, work: Callable[[Any], Any]) -> None:
    """Do jobs as they come, in a process of its own."""
    jobs: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(line, jobs), daemon=True).start()
    while True:
        line.send(_Outcome(work, jobs.get()))


def _listen(line: Connection, jobs: SimpleQueue[bytes]) -> None:
    """Take jobs, and end this process when nobody is left to give any, though it is at work."""
    try:
        while True:
            jobs.put(line.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)
