"""A background loop: takes what is due, handles it, sleeps until more is due or it is woken."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from shop.database_away import log_failure
from shop.domain.retry import delay_after
from shop.ports import Clock
from shop.queues import Due

_PAUSE_AFTER_ERROR_S = 1.0
# What failed keeps its place for so long. So one that is broken holds up nobody while there are
# others; and when all of them fail, such as on a full disk, to try again soon helps nobody.
_PAUSE_FIRST_S, _PAUSE_CAP_S = 0.1, 5.0
# A wall clock read as a float can lag behind the timer that just fired by less than this.
_SHORTEST_SLEEP_S = 0.001
# For work that is due at once. A clock that is set back makes it seem far away, and one that is
# put right a second later wakes nobody who sleeps until then.
LONGEST_SLEEP_S = 30.0

T = TypeVar("T")
Work = Coroutine[Any, Any, None]


async def work_off(
    name: str,
    take: Callable[[int], Awaitable[Due[T]]],
    handle: Callable[[T], Awaitable[None]],
    *,
    wake: asyncio.Event,
    clock: Clock,
    at_once: int,
    moves_forward: bool = True,
    longest_sleep_s: float = math.inf,
) -> None:
    """Run for ever. An error in one item is logged, and its place stays empty for a short while.

    Args:
        take: called with how many items there is room for
        handle: has to make sure itself that a failed item is due again
        at_once: how many items may be under way together
        moves_forward: whether ``handle`` can make something due sooner than ``take`` said, without
            setting ``wake`` itself: then each item that is done costs another look
        longest_sleep_s: after how long to look again, though the clock says that it is too early
    """
    under_way = failures = 0

    async def run(item: T) -> None:
        nonlocal under_way, failures
        is_to_look, failures_before = moves_forward, failures
        try:
            await handle(item)
            failures = 0
        except Exception as problem:
            is_to_look = True
            log_failure(name, "failed; it will be tried again", problem)
            # Those that fail together have one cause, and count as one.
            failures = max(failures, failures_before + 1)
            pause_s = delay_after(failures, first_s=_PAUSE_FIRST_S, cap_s=_PAUSE_CAP_S)
            await asyncio.sleep(pause_s)
        finally:
            is_to_look = is_to_look or under_way >= at_once
            under_way -= 1
            if is_to_look:
                wake.set()

    async with asyncio.TaskGroup() as tasks:
        while True:
            wake.clear()
            next_at: float | None = None
            if under_way < at_once:
                due = await _taken(name, take, at_once - under_way, clock)
                for item in due.items:
                    under_way += 1
                    tasks.create_task(run(item))
                next_at = due.next_at if under_way < at_once else None
            await _sleep_until(next_at, wake, clock, longest_sleep_s)


async def _taken(
    name: str, take: Callable[[int], Awaitable[Due[T]]], room: int, clock: Clock
) -> Due[T]:
    try:
        return await take(room)
    except Exception as problem:
        log_failure(name, "cannot read what is due", problem)
        return Due([], clock.now() + _PAUSE_AFTER_ERROR_S)


async def _sleep_until(
    moment: float | None, wake: asyncio.Event, clock: Clock, longest_s: float
) -> None:
    """Sleep until ``wake`` is set, or the wall clock shows ``moment`` (Unix seconds)."""
    if moment is None:
        await wake.wait()
        return
    delay_s = min(max(moment - clock.now(), _SHORTEST_SLEEP_S), longest_s)
    timer = asyncio.get_running_loop().call_later(delay_s, wake.set)
    try:
        await wake.wait()
    finally:
        timer.cancel()
