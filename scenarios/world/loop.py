"""An event loop whose time is a number: callbacks go in, and time jumps to the next timer.

It owns no selector, no thread and no file descriptor. Work belongs to an owner (a host's
incarnation) through a context variable; the handles of an owner that does not run are parked.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, MutableSet
from contextlib import contextmanager
from typing import Any, Protocol, TypeVarTuple

from scenarios.world.errors import (
    Deadlock,
    HostDead,
    Livelock,
    OutOfTime,
    TaskFailed,
    ThreadForbidden,
)
from scenarios.world.handles import SlimHandle, SlimTimer
from scenarios.world.latency import MICROSECONDS
from scenarios.world.refusals import refuse_outside_world
from scenarios.world.tasks import VirtualTask, describe_all

STEPS_PER_INSTANT_MAX = 100_000

Arguments = TypeVarTuple("Arguments")

_SETTLING_STEPS = 5

# Far beyond every limit of a run: where sleeping "for ever" ends.
_NEVER_US = 1 << 62


class Owner(Protocol):
    """Whose work a handle is."""

    running: bool
    dead: bool

    def park(self, handle: asyncio.Handle) -> None:
        """Keep a handle that may not run now."""
        ...


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


def to_us(delay_s: float) -> int:
    """Return a delay in whole microseconds, rounded up so that no sleep ends early.

    A positive delay never becomes zero: code that waits in a loop for the last fraction of a
    microsecond would spin for ever. The small slack absorbs the error of binary fractions.
    """
    if delay_s <= 0.0:
        return 0
    if math.isnan(delay_s):
        raise ValueError("a delay must be a number of seconds, not NaN")
    if delay_s >= _NEVER_US / MICROSECONDS:
        return _NEVER_US
    return max(1, math.ceil(delay_s * MICROSECONDS - 0.01))


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """Virtual time in integer microseconds, first in first out by (when, sequence).

    Raises from ``run_until_complete``: Deadlock, OutOfTime, Livelock, TaskFailed, or whatever was
    handed to ``fail``.
    """

    # What the base class keeps and its type stubs do not tell.
    _ready: deque[Any]
    _closed: bool
    _check_closed: Callable[[], None]
    _thread_id: int | None
    _asyncgens: MutableSet[Any]

    def __init__(self, *, steps_per_instant_max: int = STEPS_PER_INSTANT_MAX) -> None:
        super().__init__()
        self.now_us = 0
        self.limit_us = _NEVER_US
        self.steps = 0
        self._steps_here = 0
        self._steps_per_instant_max = steps_per_instant_max
        self._timers: list[tuple[int, int, SlimTimer]] = []
        self._timers_cancelled = 0
        self._sequence = 0
        self._tasks: list[VirtualTask] = []
        self._tasks_created = 0
        self._prune_at = 64
        self._failure: BaseException | None = None
        self._torn_down = False

    # -- time ---------------------------------------------------------------------------------

    def time(self) -> float:
        """Return the seconds since the run began."""
        return self.now_us / MICROSECONDS

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back after ``delay`` seconds of virtual time."""
        return self._call_at_us(self.now_us + to_us(delay), callback, args, context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back when ``time()`` has reached ``when``.

        What lies in the future, by however little, lets time pass, or who waits for the rest of a
        wait would spin.
        """
        soonest_us = self.now_us + (when > self.time())
        return self._call_at_us(max(soonest_us, to_us(when)), callback, args, context)

    def call_after_us(
        self,
        delay_us: int,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back after a whole number of microseconds."""
        return self._call_at_us(self.now_us + delay_us, callback, args, context)

    def skip_us(self, delay_us: int) -> bool:
        """Let time pass at once if nothing else could happen meanwhile; tell whether it did.

        To wait comes to the same, and costs a timer, a future and two turns of the loop.
        """
        until_us = self.now_us + delay_us
        timers = self._timers
        if self._ready or until_us > self.limit_us or (timers and timers[0][0] <= until_us):
            return False
        if delay_us:
            self.now_us = until_us
            self._steps_here = 0
        return True

    def _call_at_us(
        self,
        when_us: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> asyncio.TimerHandle:
        if self._closed:
            self._check_closed()
        timer = SlimTimer(when_us / MICROSECONDS, callback, args, self, context)
        self._sequence += 1
        heapq.heappush(self._timers, (when_us, self._sequence, timer))
        return timer

    def _timer_handle_cancelled(self, handle: SlimTimer) -> None:
        # Most timers are timeouts that nobody needed: unswept, they would pile up for hours.
        if not handle._scheduled:
            return
        self._timers_cancelled += 1
        if self._timers_cancelled > 100 and self._timers_cancelled * 2 > len(self._timers):
            self._timers = [timer for timer in self._timers if not timer[2]._cancelled]
            heapq.heapify(self._timers)
            self._timers_cancelled = 0

    # -- running ------------------------------------------------------------------------------

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Call back at this instant, after everything that is ready already."""
        if self._closed:
            self._check_closed()
        handle = SlimHandle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Like ``call_soon``; raises ThreadForbidden from any thread but the loop's own."""
        if self._thread_id not in (None, threading.get_ident()):
            error = ThreadForbidden(
                f"thread {threading.current_thread().name!r} tried to wake the virtual loop: the "
                "simulated world has one thread; make the code async from end to end"
            )
            self.fail(error)
            raise error
        return self.call_soon(callback, *args, context=context)

    def unpark(self, handles: list[asyncio.Handle]) -> None:
        """Let parked handles run again, in their old order."""
        self._ready.extend(handles)

    def _run_once(self) -> None:
        ready = self._ready
        if not ready:
            self._jump()
        timers = self._timers
        while timers and timers[0][0] <= self.now_us:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            ready.append(timer)
        count = len(ready)
        self._count_steps(count)
        for _ in range(count):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            owner = handle._context.get(OWNER)
            if owner is None or owner.running:
                handle._run()
            else:
                owner.park(handle)
        if self._failure is not None:
            raise self._failure

    def _jump(self) -> None:
        """Move time to the next timer; there is no input to wait for, so no timer is the end."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)[2]._scheduled = False
            self._timers_cancelled -= 1
        if not timers:
            raise Deadlock(
                f"nothing is left to wait for at {self.time():.6f} s. Pending: {self._pending()}"
            )
        when_us = timers[0][0]
        if when_us > self.limit_us:
            raise OutOfTime(
                f"the run is not over after its limit of {self.limit_us / MICROSECONDS:g} virtual "
                f"seconds. Pending: {self._pending()}"
            )
        if when_us > self.now_us:
            self.now_us = when_us
            self._steps_here = 0

    def _count_steps(self, count: int) -> None:
        self.steps += count
        self._steps_here += count
        if self._steps_here > self._steps_per_instant_max:
            raise Livelock(
                f"more than {self._steps_per_instant_max} steps at {self.time():.6f} s: something "
                f"spins without sleeping. Pending: {self._pending()}"
            )

    # -- tasks --------------------------------------------------------------------------------

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> VirtualTask:
        """Schedule a coroutine; the loop keeps the task, so that a dropped one lives on."""
        if self._closed:
            self._check_closed()
        self._tasks_created += 1
        if len(self._tasks) >= self._prune_at and not self._torn_down:
            self._prune()
        task = VirtualTask(
            self._tasks_created,
            coro,
            loop=self,
            name=name or f"task {self._tasks_created}",
            context=contextvars.copy_context() if context is None else context,
        )
        self._tasks.append(task)
        return task

    def set_task_factory(self, factory: object) -> None:
        """Refuse: the order of task sets depends on the loop's own tasks."""
        raise NotImplementedError("the virtual loop makes its own tasks: leave the factory alone")

    def _prune(self) -> None:
        self._tasks = [task for task in self._tasks if not task.done() or task.failed_unseen]
        self._prune_at = 2 * len(self._tasks) + 64

    def tasks_of(self, owner: Owner) -> list[VirtualTask]:
        """Return the unfinished tasks of one owner, oldest first."""
        return [
            task for task in self._tasks if not task.done() and task.context.get(OWNER) is owner
        ]

    def _pending(self) -> str:
        return describe_all([task for task in self._tasks if _is_listed(task)])

    # -- failures -----------------------------------------------------------------------------

    def fail(self, error: BaseException) -> None:
        """End the run with this error, even if the code that caused it swallows it."""
        if self._failure is None:
            self._failure = error

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Fail the run for an exception that no code awaits."""
        error = context.get("exception")
        if self._torn_down or isinstance(error, HostDead):
            return
        failure = TaskFailed(f"{context.get('message', 'a callback failed')}: {error!r}")
        failure.__cause__ = error
        self.fail(failure)

    def unseen_failure(self) -> TaskFailed | None:
        """Return the first exception of a finished task that nobody has awaited yet, or None.

        Those of dead owners do not count: whoever was to await them died with them.
        """
        for task in self._unseen():
            error = task.exception()
            failure = TaskFailed(f"{task.get_name()} raised and nobody awaited it: {error!r}")
            failure.__cause__ = error
            return failure
        return None

    def settle(self) -> None:
        """Run the few steps by which those who await a task that failed just now get to know it."""
        for _ in range(_SETTLING_STEPS):
            if self._unseen():
                self.run_until_complete(self.create_task(asyncio.sleep(0)))

    def _unseen(self) -> list[VirtualTask]:
        return [task for task in self._tasks if task.failed_unseen and not _is_dead(task)]

    # -- the end ------------------------------------------------------------------------------

    def tear_down(self) -> None:
        """Close every parked coroutine, then the loop.

        Fence the hosts first: this is where ``finally`` blocks of crashed code run.
        """
        self._torn_down = True
        asyncio._set_running_loop(self)
        try:
            with _no_tracebacks():
                for task in self._tasks:  # closing may create tasks: they are closed too
                    task.close_coroutine()
        finally:
            asyncio._set_running_loop(None)
        self._timers.clear()
        self._tasks.clear()
        self.close()

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        self._asyncgens.discard(agen)
        if not self._torn_down:
            self.create_task(agen.aclose())

    def __del__(self) -> None:
        """Nothing to release, so a loop that never ran needs no warning."""


@contextmanager
def _no_tracebacks() -> Iterator[None]:
    # What is closed here writes them for nobody, and reads source files to do so.
    limit = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 0
    try:
        yield
    finally:
        if limit is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = limit


def _is_dead(task: VirtualTask) -> bool:
    owner = task.context.get(OWNER)
    return owner is not None and owner.dead


def _is_listed(task: VirtualTask) -> bool:
    owner = task.context.get(OWNER)
    return not task.done() and (owner is None or owner.running)


refuse_outside_world(VirtualTimeLoop)
