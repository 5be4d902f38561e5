"""A client that no longer waits: its handler goes on, and can see that it has gone."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.world import World
from tests.scenarios.world.helpers import answer, factory_of, post, run_in


def test_a_timeout_of_the_client_does_not_cancel_the_handler() -> None:
    done: list[float] = []
    world = World(1)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)
        done.append(world.loop.time())
        await answer(send)

    async def main(transport: Any) -> float:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=5)
        gave_up = world.loop.time()
        await asyncio.sleep(100)
        return gave_up

    assert run_in(world, ("shop", factory_of(slow)), main=main) == 5.0
    assert not world.trace.of_kind("response_arrived")
    assert len(done) == 1
    assert 60 < done[0] < 60.01


def test_cancelling_the_client_does_not_cancel_the_handler() -> None:
    done: list[str] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        done.append((await receive())["type"])
        await asyncio.sleep(60)
        done.append("done")

    async def main(transport: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await post(transport, "http://shop/", read_s=500)
        await asyncio.sleep(100)

    run_in(World(1), ("shop", factory_of(slow)), main=main)
    assert done == ["http.disconnect", "done"]


def test_a_handler_sees_that_its_client_has_gone() -> None:
    seen: list[tuple[str, float]] = []
    world = World(1)

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        message = await receive()
        seen.append((message["type"], world.loop.time()))
        await answer(send)

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=5)
        await asyncio.sleep(1)

    run_in(world, ("shop", factory_of(hold)), main=main)
    assert seen[0][0] == "http.disconnect"
    assert 5.001 <= seen[0][1] <= 5.003
    assert not world.application_errors


def test_a_disconnect_never_overtakes_its_request() -> None:
    seen: list[str] = []
    world = World(1)

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    async def main(transport: Any) -> None:
        world.add_latency(10, receiver="shop")
        request = asyncio.create_task(post(transport, "http://shop/", read_s=5))
        await asyncio.sleep(1)
        await world.heal()
        with pytest.raises(httpx.ReadTimeout):
            await request
        await asyncio.sleep(10)

    run_in(world, ("shop", factory_of(note)), main=main)
    assert seen == ["http.request", "http.disconnect"]


def test_leaving_a_stream_lets_the_handler_see_it() -> None:
    world = World(1)
    seen: list[str] = []

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        seen.append((await receive())["type"])

    async def main(transport: Any) -> None:
        response = await transport.handle_async_request(httpx.Request("GET", "http://shop/"))
        await response.aclose()
        await asyncio.sleep(1)

    run_in(world, ("shop", factory_of(stream)), main=main)
    assert seen == ["http.disconnect"]
