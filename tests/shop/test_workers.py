"""How often a worker looks for what is due: once when woken, not once more for each item done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shop.queues import Due
from shop.workers import work_off
from sqlport import DatabaseUnwritable
from tests.shop.fakes import FakeClock


class Queue:
    """Items that are taken once, and how often somebody looked for more."""

    def __init__(self, *items: str) -> None:
        self.waiting = list(items)
        self.looks = 0
        self.done: list[str] = []

    async def take(self, room: int) -> Due[str]:
        self.looks += 1
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        return Due(taken, None)

    async def handle(self, item: str) -> None:
        await asyncio.sleep(0)
        self.done.append(item)
        if item == "broken":
            raise RuntimeError("cannot do this")


async def _worked_off(queue: Queue, *, at_once: int, moves_forward: bool) -> Queue:
    worker = _start(queue, queue.handle, at_once=at_once, moves_forward=moves_forward)
    for _ in range(50):
        await asyncio.sleep(0)
    await _end(worker)
    return queue


def _start(
    queue: Queue,
    handle: Callable[[str], Awaitable[None]],
    *,
    at_once: int = 1,
    moves_forward: bool = True,
) -> asyncio.Task[None]:
    return asyncio.create_task(
        work_off(
            "a test's work",
            queue.take,
            handle,
            wake=asyncio.Event(),
            clock=FakeClock(),
            at_once=at_once,
            moves_forward=moves_forward,
        )
    )


async def _end(worker: asyncio.Task[None]) -> None:
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_done_items_that_move_nothing_forward_cost_no_look() -> None:
    queue = await _worked_off(Queue("a", "b"), at_once=4, moves_forward=False)
    assert (queue.done, queue.looks) == (["a", "b"], 1)


async def test_done_items_that_can_move_something_forward_are_followed_by_a_look() -> None:
    queue = await _worked_off(Queue("a"), at_once=4, moves_forward=True)
    assert (queue.done, queue.looks) == (["a"], 2)


async def test_a_worker_that_had_no_room_looks_for_what_it_left() -> None:
    queue = await _worked_off(Queue("a", "b", "c"), at_once=1, moves_forward=False)
    assert queue.done == ["a", "b", "c"]


async def test_after_a_failure_there_is_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.workers._PAUSE_FIRST_S", 0.0)
    queue = await _worked_off(Queue("broken"), at_once=4, moves_forward=False)
    assert queue.looks == 2


class HopelessQueue(Queue):
    """Its one item is due again at once, and fails for as long as ``problem`` is set."""

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self.problem: Exception | None = problem

    async def take(self, room: int) -> Due[str]:
        self.waiting = ["a"]
        return await super().take(room)

    async def handle(self, item: str) -> None:
        await asyncio.sleep(0)
        self.done.append(item)
        if self.problem is not None:
            raise self.problem


async def test_what_fails_and_is_due_at_once_is_not_tried_without_a_pause() -> None:
    queue = await _worked_off(HopelessQueue(RuntimeError("a bug")), at_once=1, moves_forward=True)
    assert queue.done == ["a"]


async def test_what_fails_keeps_one_place_for_a_while_and_the_others_go_on() -> None:
    queue = await _worked_off(Queue("broken", *"abc"), at_once=2, moves_forward=False)
    assert queue.done == ["broken", *"abc"]


async def test_while_all_fails_each_place_pauses_and_what_fails_together_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts: list[int] = []

    def delay(failures: int, **_: float) -> float:
        counts.append(failures)
        return 3600.0

    monkeypatch.setattr("shop.workers.delay_after", delay)
    queue = await _worked_off(Queue(*["broken"] * 5), at_once=3, moves_forward=False)
    assert (queue.done, counts) == (["broken"] * 3, [1, 1, 1])


async def test_pauses_grow_while_all_fails_and_begin_anew_after_a_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts: list[int] = []
    queue = HopelessQueue(RuntimeError("a bug"))

    def no_delay(failures: int, **_: float) -> float:
        counts.append(failures)
        if len(counts) in (3, 5):
            queue.problem = None
        return 0.0

    async def handle(item: str) -> None:
        was_well = queue.problem is None
        try:
            await queue.handle(item)
        finally:
            queue.problem = RuntimeError("a bug") if was_well else queue.problem

    monkeypatch.setattr("shop.workers.delay_after", no_delay)
    worker = _start(queue, handle)
    async with asyncio.timeout(60):
        while len(counts) < 5:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    await _end(worker)
    assert counts[:5] == [1, 2, 3, 1, 2]


async def test_while_the_database_is_away_there_is_one_line_for_each_try_and_none_of_a_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = DatabaseUnwritable("the database cannot store anything: disk full")
    await _worked_off(HopelessQueue(away), at_once=1, moves_forward=True)
    lines = caplog.text.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(
        "a test's work waits for the database: the database cannot store anything: disk full"
    )


async def test_what_a_clock_set_back_makes_seem_far_away_is_looked_for_all_the_same() -> None:
    clock, looks, done = FakeClock(), asyncio.Semaphore(0), asyncio.Event()
    due_at = clock.now()

    async def take(_room: int) -> Due[str]:
        looks.release()
        return Due(["a"], None) if clock.now() >= due_at else Due([], due_at)

    async def handle(_item: str) -> None:
        done.set()

    clock.ahead_s -= 240.0
    wake = asyncio.Event()
    limits = {"at_once": 1, "moves_forward": False, "longest_sleep_s": 0.01}
    worker = asyncio.create_task(
        work_off("a test's work", take, handle, wake=wake, clock=clock, **limits)
    )
    async with asyncio.timeout(60):
        await looks.acquire()
        await looks.acquire()
        assert not done.is_set()
        clock.ahead_s += 240.0
        await done.wait()
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
