"""A host that stands still for a while and then goes on; and healing, which ends every fault."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.world import HostState, World
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok


def test_a_paused_host_accepts_and_answers_after_it_goes_on() -> None:
    world = World(1)

    async def main(transport: Any) -> float:
        world.pause("shop", for_s=10)
        response = await post(transport, "http://shop/", read_s=60)
        assert response.status_code == 200
        return world.loop.time()

    assert 10 < run_in(world, ("shop", factory_of(say_ok)), main=main) < 10.01


def test_a_paused_host_wakes_up_as_a_zombie_after_its_client_has_gone() -> None:
    world, log = World(1), []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1)
        log.append(world.loop.time())
        await answer(send)

    async def main(transport: Any) -> None:
        request = asyncio.create_task(post(transport, "http://shop/", read_s=5))
        await asyncio.sleep(0.5)
        world.pause("shop")
        with pytest.raises(httpx.ReadTimeout):
            await request
        await asyncio.sleep(55)
        world.resume("shop")
        await asyncio.sleep(1)

    run_in(world, ("shop", factory_of(slow)), main=main)
    assert log == [60.0]


def test_a_host_that_was_paused_reads_the_request_before_its_end() -> None:
    world, seen = World(1), []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    async def main(transport: Any) -> None:
        world.pause("shop", for_s=60)
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=5)
        await asyncio.sleep(60)

    run_in(world, ("shop", factory_of(note)), main=main)
    assert seen == ["http.request", "http.disconnect"]


def test_a_request_that_waits_at_a_paused_host_dies_with_it() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        world.pause("shop")
        request = asyncio.create_task(post(transport, "http://shop/", read_s=60))
        await asyncio.sleep(1)
        world.crash("shop")
        with pytest.raises(httpx.RemoteProtocolError):
            await request

    run_in(world, ("shop", factory_of(say_ok)), main=main)


def test_an_old_pause_does_not_end_a_new_one() -> None:
    world = World(1)

    async def main(transport: Any) -> float:
        world.pause("shop", for_s=10)
        await asyncio.sleep(1)
        world.resume("shop")
        world.pause("shop", for_s=20)
        await post(transport, "http://shop/", read_s=60)
        return world.loop.time()

    assert round(run_in(world, ("shop", factory_of(say_ok)), main=main)) == 21


def test_healing_ends_every_fault() -> None:
    world = World(1)

    async def main(transport: Any) -> list[int]:
        point = world.crash_at("a", "response")
        world.crash("b", "power", down_s=500)
        world.pause("c")
        world.partition(None, "d")
        await world.heal()
        assert not point.enabled
        return [(await post(transport, f"http://{name}/")).status_code for name in "abcd"]

    hosts = [(name, factory_of(say_ok)) for name in "abcd"]
    assert run_in(world, *hosts, main=main) == [200, 200, 200, 200]
    assert world.loop.time() < 1


def test_healing_leaves_a_stopped_host_down() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        await world.stop("shop")
        await world.heal()

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert world.host("shop").state is HostState.DOWN
