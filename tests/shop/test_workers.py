"""How often a worker looks for what is due: once when woken, not once more for each item done."""

from __future__ import annotations

import asyncio

from shop.queues import Due
from shop.workers import work_off
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
    worker = asyncio.create_task(
        work_off(
            "a test's work",
            queue.take,
            queue.handle,
            wake=asyncio.Event(),
            clock=FakeClock(),
            at_once=at_once,
            moves_forward=moves_forward,
        )
    )
    for _ in range(50):
        await asyncio.sleep(0)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    return queue


async def test_done_items_that_move_nothing_forward_cost_no_look() -> None:
    queue = await _worked_off(Queue("a", "b"), at_once=4, moves_forward=False)
    assert (queue.done, queue.looks) == (["a", "b"], 1)


async def test_done_items_that_can_move_something_forward_are_followed_by_a_look() -> None:
    queue = await _worked_off(Queue("a"), at_once=4, moves_forward=True)
    assert (queue.done, queue.looks) == (["a"], 2)


async def test_a_worker_that_had_no_room_looks_for_what_it_left() -> None:
    queue = await _worked_off(Queue("a", "b", "c"), at_once=1, moves_forward=False)
    assert queue.done == ["a", "b", "c"]


async def test_after_a_failure_there_is_a_look() -> None:
    queue = await _worked_off(Queue("broken"), at_once=4, moves_forward=False)
    assert queue.looks == 2


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
