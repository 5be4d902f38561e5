"""A host starts, answers and stops, as a service under a real server would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from scenarios.world import HostEnvironment, HostState, StartFailed, World, WorldError
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT PRIMARY KEY)"


def test_lifespan_runs_and_its_state_reaches_requests() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        log.append("up")
        await asyncio.sleep(2)
        yield {"greeting": "hello"}
        log.append("down")

    async def greet(request: Request) -> JSONResponse:
        return JSONResponse(request.state.greeting)

    app = Starlette(routes=[Route("/", greet, methods=["POST"])], lifespan=lifespan)
    world = World(1)

    async def main(transport: Any) -> str:
        assert world.loop.time() == 2.0
        text = (await post(transport, "http://shop/")).json()
        await world.stop("shop")
        return text

    assert run_in(world, ("shop", lambda environment: app), main=main) == "hello"
    assert log == ["up", "down"]
    assert world.host("shop").state is HostState.DOWN


def test_a_failing_startup_is_reported_with_its_reason() -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no such table")
        yield

    world = World(1)
    world.add_host("shop", lambda environment: Starlette(lifespan=lifespan))
    with pytest.raises(StartFailed, match="no such table"):
        world.run(world.start("shop"))


def test_a_failing_factory_is_reported_with_its_reason() -> None:
    def factory(environment: HostEnvironment) -> Any:
        raise RuntimeError("bad settings")

    world = World(1)
    world.add_host("shop", factory)
    with pytest.raises(StartFailed, match="bad settings"):
        world.run(world.start("shop"))


def test_a_factory_may_await() -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)
        return factory_of(say_ok)(environment)

    async def main(transport: Any) -> int:
        return (await post(transport, "http://shop/")).status_code

    assert run_in(World(1), ("shop", factory), main=main) == 200


def test_a_host_that_is_still_starting_refuses() -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await asyncio.sleep(10)
        return factory_of(say_ok)(environment)

    world = World(1)
    world.add_host("shop", factory)

    async def main() -> None:
        starting = asyncio.create_task(world.start("shop"))
        await asyncio.sleep(1)
        with pytest.raises(httpx.ConnectError):
            await post(world.transport_for(), "http://shop/")
        await starting
        await post(world.transport_for(), "http://shop/")

    world.run(main())


def test_starting_a_running_host_is_refused() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        with pytest.raises(WorldError, match="shop is running"):
            await world.start("shop")

    run_in(world, ("shop", factory_of(say_ok)), main=main)


def test_stopping_finishes_requests_and_cancels_the_rest() -> None:
    log: list[str] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3)
        await answer(send, b"finished")

    async def work_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("worker ended")

    def factory(environment: HostEnvironment) -> Any:
        asyncio.get_running_loop().create_task(work_for_ever())
        return factory_of(slow)(environment)

    world = World(1)

    async def main(transport: Any) -> bytes:
        request = asyncio.create_task(post(transport, "http://shop/"))
        await asyncio.sleep(1)
        stopping = asyncio.create_task(world.stop("shop"))
        await asyncio.sleep(1)
        with pytest.raises(httpx.ConnectError):
            await post(transport, "http://shop/")
        await stopping
        assert log == ["worker ended"]
        return (await request).content

    assert run_in(world, ("shop", factory), main=main) == b"finished"


def test_a_request_that_outlasts_the_grace_is_cut_off() -> None:
    world = World(1)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1000)

    async def main(transport: Any) -> float:
        request = asyncio.create_task(post(transport, "http://shop/", read_s=2000))
        await asyncio.sleep(1)
        await world.stop("shop")
        with pytest.raises(httpx.RemoteProtocolError):
            await request
        return world.loop.time()

    assert round(run_in(world, ("shop", factory_of(slow)), main=main)) == 11


def test_requests_do_not_share_context_variables() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="untouched")
    seen: list[str] = []

    async def touch(scope: Any, receive: Any, send: Any) -> None:
        seen.append(variable.get())
        variable.set("touched")
        await answer(send)

    async def main(transport: Any) -> None:
        variable.set("of the harness")
        await post(transport, "http://shop/")
        await post(transport, "http://shop/")

    run_in(World(1), ("shop", factory_of(touch)), main=main)
    assert seen == ["untouched", "untouched"]


def test_starlette_answers_and_its_middleware_work() -> None:
    async def plain(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"hello {request.client.host}")  # type: ignore[union-attr]

    app = Starlette(routes=[Route("/", plain, methods=["POST"])])

    async def main(transport: Any) -> str:
        return (await post(transport, "http://shop/")).text

    assert run_in(World(1), ("shop", lambda e: app), main=main) == "hello 127.0.0.1"


def test_clocks_are_skewed_apart() -> None:
    seen: list[float] = []

    def factory(environment: HostEnvironment) -> Any:
        seen.append(environment.clock.now())
        return factory_of(say_ok)(environment)

    world = World(1, start=1000.0)
    world.clock_for("shop", skew_s=-300)

    async def main(transport: Any) -> None:
        world.clock_for("shop", skew_s=10)
        seen.append(world.host("shop").clock.now())

    run_in(world, ("shop", factory), main=main)
    assert seen == [700.0, 1010.0]
    assert world.now() == 1000.0
