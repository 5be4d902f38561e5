from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from scenarios.world import World, WorldError
from scenarios.world.asgi import ServerCall
from scenarios.world.exchange import Exchange
from tests.scenarios.world.helpers import factory_of, post, run_in, say_ok


async def nothing() -> None:
    return


def test_a_world_runs_once() -> None:
    world = World(1)
    world.run(nothing())
    with pytest.raises(WorldError, match="once"):
        world.run(nothing())


def test_the_result_and_the_exception_of_main_come_out() -> None:
    async def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        World(1).run(fail())


def test_garbage_collection_is_off_during_a_run_and_on_after_it() -> None:
    async def main() -> bool:
        return gc.isenabled()

    assert World(1).run(main()) is False
    assert gc.isenabled()


def test_a_call_that_is_over_needs_no_collector_to_be_forgotten() -> None:
    world = World(1)

    async def main(transport: Any) -> int:
        for _ in range(100):
            await post(transport, "http://shop/")
        await asyncio.sleep(1)
        return sum(isinstance(one, ServerCall | Exchange) for one in gc.get_objects())

    gc.collect()
    assert run_in(world, ("shop", factory_of(say_ok)), main=main) < 10


def test_what_is_left_over_ends_quietly() -> None:
    """Warnings are errors here: nothing that is pending, unstarted or open may warn."""
    log: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            log.append("generator")

    async def iterate() -> None:
        async for _ in numbers():
            await asyncio.sleep(1000)

    async def clean_up_slowly() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            log.append("never")

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(clean_up_slowly())
            tasks.create_task(iterate())

    async def outer() -> None:
        await clean_up_slowly()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        works = (iterate, clean_up_slowly, group, outer)
        left_over = [loop.create_task(work()) for work in works]
        await asyncio.sleep(1)
        left_over.append(loop.create_task(nothing()))
        loop.create_future().set_exception(ValueError("nobody asks"))

    with pytest.raises(WorldError, match="nobody asks"):
        World(1).run(main())
    gc.collect()
    assert "never" not in log


def test_a_generator_that_is_dropped_during_a_run_is_finished_at_that_instant() -> None:
    log: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def numbers() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                log.append(loop.time())

        async for _ in numbers():
            break
        await asyncio.sleep(5)

    World(1).run(main())
    assert log == [0.0]


def test_nothing_is_recorded_after_the_run() -> None:
    world = World(1)

    async def fail_on_the_way_out(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            raise ValueError("too late")

    async def main(transport: Any) -> None:
        world.loop.create_task(post(transport, "http://shop/"))
        await asyncio.sleep(1)

    run_in(world, ("shop", factory_of(fail_on_the_way_out)), main=main)
    assert not world.trace.of_kind("application_failed")
    assert not world.application_errors


def test_what_the_harness_does_on_its_way_out_is_not_recorded() -> None:
    world = World(1)

    async def send_in_the_end(transport: Any) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await post(transport, "http://shop/")

    async def main(transport: Any) -> None:
        world.loop.create_task(send_in_the_end(transport))
        await asyncio.sleep(1)

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert not world.trace.of_kind("request_sent")


def test_an_unknown_host_is_named_with_the_known_ones() -> None:
    world = World(1)
    world.add_host("shop", factory_of(say_ok))
    with pytest.raises(WorldError, match="no host 'shoop'; hosts: shop"):
        world.crash("shoop")


def test_a_host_is_added_once() -> None:
    world = World(1)
    world.add_host("shop", factory_of(say_ok))
    with pytest.raises(WorldError, match="already"):
        world.add_host("shop", factory_of(say_ok))


def test_streams_of_random_numbers_go_by_name() -> None:
    world = World(1)
    assert world.random_for("a").random() == world.random_for("a").random()
    assert world.random_for("a").random() != world.random_for("b").random()
    assert world.random_for("a").random() != World(2).random_for("a").random()
