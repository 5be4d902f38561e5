from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import threading
import time

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scenarios.world import (
    Deadlock,
    Livelock,
    OutOfTime,
    RealNetworkForbidden,
    TaskFailed,
    ThreadForbidden,
    World,
)
from scenarios.world.loop import to_us
from tests.scenarios.world.helpers import post, run_in


def test_three_days_pass_in_no_time() -> None:
    world = World(1)

    async def main() -> float:
        await asyncio.sleep(3 * 86_400)
        return world.now()

    began = time.process_time()
    assert world.run(main()) == 1_767_225_600 + 3 * 86_400
    assert time.process_time() - began < 1.0


def test_time_is_exact_over_many_small_steps() -> None:
    world = World(1)

    async def main() -> int:
        for _ in range(1000):
            await asyncio.sleep(0.1)
        return world.loop.now_us

    assert world.run(main()) == 100_000_000


def test_timers_of_one_instant_run_in_the_order_in_which_they_were_set() -> None:
    order: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_later(1.0, order.append, number)
        await asyncio.sleep(2)

    World(1).run(main())
    assert order == list(range(50))


def test_a_timer_set_later_for_an_earlier_time_runs_first() -> None:
    order: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(2.0, order.append, "late")
        loop.call_at(loop.time() + 1.0, order.append, "early")
        await asyncio.sleep(3)

    World(1).run(main())
    assert order == ["early", "late"]


def test_cancelled_timers_neither_run_nor_hold_time_up() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            loop.call_later(100.0, pytest.fail).cancel()
        await asyncio.sleep(1)
        return loop.time()

    assert World(1).run(main()) == 1.0


def test_a_timer_that_is_cancelled_at_its_own_instant_does_not_run() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: victim.cancel())
        victim = loop.call_later(1.0, pytest.fail)
        await asyncio.sleep(2)

    World(1).run(main())


@pytest.mark.parametrize(
    ("delay_s", "expected_us"),
    [(0, 0), (-1, 0), (1e-9, 1), (0.1, 100_000), (1.0000004, 1_000_001), (math.inf, 1 << 62)],
)
def test_a_sleep_never_ends_early(delay_s: float, expected_us: int) -> None:
    assert to_us(delay_s) == expected_us


@pytest.mark.parametrize("rest_s", [1e-9, 1e-7, 5e-324])
def test_the_last_fraction_of_a_wait_lets_time_pass(rest_s: float) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1)
        ends_at = loop.time() + rest_s
        while (left_s := ends_at - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await asyncio.Event().wait()

    World(1).run(main())


def test_a_delay_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        to_us(math.nan)


def test_asyncio_timeout_works_in_virtual_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 10)
        return loop.time()

    assert World(1).run(main()) == 40.0


def test_a_deadlock_names_who_waits_and_where() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.create_task(wait_for_nothing(), name="the patient one")

    with pytest.raises(Deadlock, match=r"the patient one at .*locks\.py:\d+ wait"):
        World(1).run(main())


def test_a_run_without_end_is_out_of_time() -> None:
    async def main() -> None:
        for _ in itertools.count():
            await asyncio.sleep(60)

    with pytest.raises(OutOfTime, match="3600"):
        World(1).run(main(), limit_s=3600)


def test_spinning_without_sleeping_is_a_livelock() -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    with pytest.raises(Livelock, match="spin"):
        World(1, steps_per_instant_max=1000).run(spin())


def test_many_steps_spread_over_time_are_no_livelock() -> None:
    async def main() -> None:
        for _ in range(5000):
            await asyncio.sleep(0.001)

    World(1, steps_per_instant_max=1000).run(main())


def test_an_exception_that_nobody_awaits_fails_the_run() -> None:
    async def fail() -> None:
        raise ValueError("nobody looks")

    async def main() -> None:
        task = asyncio.create_task(fail(), name="the worker")
        await asyncio.sleep(1)
        assert task.done()

    with pytest.raises(TaskFailed, match=r"the worker.*nobody looks"):
        World(1).run(main())


def test_an_exception_in_a_callback_fails_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(1, int, "x")
        await asyncio.sleep(2)

    with pytest.raises(TaskFailed, match="invalid literal"):
        World(1).run(main())


def test_an_awaited_exception_does_not_fail_the_run() -> None:
    async def fail() -> None:
        raise ValueError("somebody looks")

    async def main() -> str:
        task = asyncio.create_task(fail())
        await asyncio.sleep(1)
        with pytest.raises(ValueError, match="somebody"):
            await task
        return "fine"

    assert World(1).run(main()) == "fine"


def test_an_exception_of_the_last_instant_has_time_to_be_seen() -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("seen a moment later")

    async def wait_for_it() -> None:
        (done,), _ = await asyncio.wait([asyncio.create_task(fail())])
        assert isinstance(done.exception(), ValueError)

    async def main() -> asyncio.Task[None]:
        watcher = asyncio.create_task(wait_for_it())
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        return watcher

    World(1).run(main())


def test_a_dead_worker_is_mentioned_when_the_run_gets_stuck() -> None:
    async def fail() -> None:
        raise ValueError("the reason")

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.Event().wait()
        await task

    with pytest.raises(Deadlock) as caught:
        World(1).run(main())
    assert "the reason" in caught.value.__notes__[0]


def test_sets_of_tasks_iterate_in_order_of_creation() -> None:
    async def main() -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1), name=f"n{n}") for n in range(100)}
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in done]

    assert World(1).run(main()) == [f"n{n}" for n in range(100)]


# -- ways out ---------------------------------------------------------------------------------


async def _executor() -> None:
    await asyncio.to_thread(time.perf_counter)


async def _anyio_thread() -> None:
    await anyio.to_thread.run_sync(time.perf_counter)


async def _plain_thread() -> None:
    threading.Thread(target=time.perf_counter).start()


async def _blocking_sleep() -> None:
    time.sleep(0.001)  # noqa: ASYNC251


async def _subprocess() -> None:
    await asyncio.create_subprocess_exec("true")


@pytest.mark.parametrize(
    "way_out", [_executor, _anyio_thread, _plain_thread, _blocking_sleep, _subprocess]
)
def test_threads_and_real_pauses_are_refused(way_out: object) -> None:
    with pytest.raises(ThreadForbidden, match=r"test_loop\.py|harness"):
        World(1).run(way_out())  # type: ignore[operator]


async def _connection() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def _server() -> None:
    await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)


async def _lookup() -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


async def _plain_socket() -> None:
    import socket

    with socket.socket() as plain:
        plain.connect(("127.0.0.1", 9))


@pytest.mark.parametrize("way_out", [_connection, _server, _lookup, _plain_socket])
def test_real_sockets_are_refused(way_out: object) -> None:
    with pytest.raises(RealNetworkForbidden, match=r"test_loop\.py"):
        World(1).run(way_out())  # type: ignore[operator]


def test_a_way_out_fails_the_run_even_if_the_code_swallows_it() -> None:
    async def main() -> None:
        try:
            await asyncio.to_thread(time.perf_counter)
        except Exception:
            await asyncio.sleep(1)

    with pytest.raises(ThreadForbidden, match="perf_counter"):
        World(1).run(main())


def test_a_synchronous_endpoint_is_refused_by_name() -> None:
    def endpoint(request: Request) -> Response:
        return Response("never")

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])

    async def main(transport: object) -> None:
        await post(transport, "http://shop/")

    with pytest.raises(ThreadForbidden, match="shop: POST /"):
        run_in(World(1), ("shop", lambda environment: app), main=main)


def test_threads_and_pauses_work_again_after_the_run() -> None:
    before = threading.Thread.start, time.sleep
    with pytest.raises(ThreadForbidden):
        World(1).run(_plain_thread())
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()
    assert (threading.Thread.start, time.sleep) == before


def test_another_thread_cannot_wake_the_loop() -> None:
    world = World(1)
    refused: list[BaseException] = []

    def wake() -> None:
        try:
            world.loop.call_soon_threadsafe(print)
        except ThreadForbidden as error:
            refused.append(error)

    thread = threading.Thread(target=wake)
    start, join = thread.start, thread.join

    async def main() -> None:
        released.set()
        join()
        await asyncio.sleep(1)

    released = threading.Event()
    thread.run = lambda: (released.wait(), wake())  # type: ignore[method-assign, assignment]
    start()
    with pytest.raises(ThreadForbidden, match="one thread"):
        world.run(main())
    assert refused
