"""Runs that mostly wait, side by side on one event loop, so that whoever stops one stops all."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

CANCEL_AGAIN_AFTER_S = 5.0

Job = TypeVar("Job")
Result = TypeVar("Result")


@contextmanager
def together(
    work: Callable[[Job], Awaitable[Result]],
    jobs: int,
    length: Callable[[Job], float] = lambda _: 0.0,
) -> Iterator[Callable[[Iterable[Job]], Iterator[Result]]]:
    """Give a function that does jobs, at most ``jobs`` at a time, results in the jobs' order.

    The longest begin first, so that none of them is left to the end alone.
    However this ends, every job's ``finally`` has run before it does: Ctrl-C and SIGTERM included.
    """
    with (
        _ctrl_c_cancels(),
        asyncio.Runner() as runner,
        _terminated(runner.get_loop()) as is_terminated,
    ):
        room = asyncio.Semaphore(jobs)
        tasks: list[asyncio.Task[Result]] = []

        async def in_its_turn(job: Job) -> Result:
            async with room:
                return await work(job)

        def run_all(every: Iterable[Job]) -> Iterator[Result]:
            loop = runner.get_loop()
            jobs_by_number = dict(enumerate(every))
            numbers = sorted(jobs_by_number, key=lambda n: length(jobs_by_number[n]), reverse=True)
            begun = {n: loop.create_task(in_its_turn(jobs_by_number[n])) for n in numbers}
            tasks.extend(begun.values())
            return (result_of(begun[n]) for n in jobs_by_number)

        def result_of(task: asyncio.Task[Result]) -> Result:
            runner.run(_either(task, is_terminated))
            if is_terminated.done():
                raise KeyboardInterrupt
            return task.result()

        try:
            yield run_all
        finally:
            with _uninterrupted():
                runner.run(_end(tasks))


async def _either(task: asyncio.Task[Result], is_terminated: asyncio.Future[None]) -> None:
    """Wait for one of them, and leave the task alone if we are interrupted: it may not notice."""
    await asyncio.wait((task, is_terminated), return_when=asyncio.FIRST_COMPLETED)


async def _end(tasks: Sequence[asyncio.Task[Result]]) -> None:
    """Cancel what is unfinished and see it end; a cancellation that got lost is repeated."""
    while unfinished := [task for task in tasks if not task.done()]:
        for task in unfinished:
            task.cancel()
        await asyncio.wait(unfinished, timeout=CANCEL_AGAIN_AFTER_S)


@contextmanager
def _ctrl_c_cancels() -> Iterator[None]:
    """Leave Ctrl-C to asyncio, which takes it over from nobody but Python's own handler."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a second Ctrl-C not disturb the cleaning up."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _terminated(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Future[None]]:
    """Give what is done as soon as SIGTERM comes, also where a shell has Ctrl-C ignored."""
    is_terminated = loop.create_future()

    def note() -> None:
        if not is_terminated.done():
            is_terminated.set_result(None)

    before = signal.getsignal(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGTERM, note)
    try:
        yield is_terminated
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
