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

from scenarios.world import HostDead, HostEnvironment, HostState, StartFailed, World, WorldError
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


# -- crashes ----------------------------------------------------------------------------------


class Notebook:
    """Stores what it is sent, pausing inside the transaction for "half", and notes its clean-up."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def __call__(self, environment: HostEnvironment) -> Any:
        database = environment.database
        await database.apply_schema(SCHEMA)

        async def note(scope: Any, receive: Any, send: Any) -> None:
            text = (await receive())["body"].decode()
            try:
                async with database.transaction() as transaction:
                    await transaction.execute("INSERT INTO notes VALUES (?)", text)
                    await asyncio.sleep(5 if text == "half" else 0)
                self.ran.append(f"committed {text}")
            except BaseException:
                self.ran.append("except")
                raise
            finally:
                self.ran.append("finally")
            await answer(send)

        return factory_of(note)(environment)


def notes(world: World) -> list[str]:
    rows = world.host("shop").disk.connection.execute("SELECT text FROM notes ORDER BY text")
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("mode", "error", "after_s"),
    [("kill", httpx.RemoteProtocolError, 1), ("power", httpx.ReadTimeout, 30)],
)
def test_a_crash_commits_no_half_work_and_runs_no_cleanup(
    mode: Any, error: type[Exception], after_s: int
) -> None:
    world, notebook = World(1), Notebook()
    seen_during_run: list[list[str]] = []

    async def main(transport: Any) -> None:
        await post(transport, "http://shop/", b"whole")
        half = asyncio.create_task(post(transport, "http://shop/", b"half", read_s=30))
        await asyncio.sleep(1)
        began = world.loop.time() - 1
        world.crash("shop", mode)
        with pytest.raises(error):
            await half
        assert round(world.loop.time() - began) == after_s
        await asyncio.sleep(100)
        seen_during_run.append(list(notebook.ran))
        await world.restart("shop")
        await post(transport, "http://shop/", b"after")

    run_in(world, ("shop", notebook), main=main)
    assert seen_during_run == [["committed whole", "finally"]]
    assert notes(world) == ["after", "whole"]
    assert not world.application_errors


def test_a_crashed_host_refuses_or_is_silent() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        world.crash("shop")
        with pytest.raises(httpx.ConnectError):
            await post(transport, "http://shop/")
        await world.start("shop")
        world.crash("shop", "power")
        with pytest.raises(httpx.ConnectTimeout):
            await post(transport, "http://shop/")

    run_in(world, ("shop", factory_of(say_ok)), main=main)


def test_a_crash_with_a_downtime_comes_back_by_itself() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        world.crash("shop", down_s=60)
        await asyncio.sleep(59)
        assert world.host("shop").state is HostState.CRASHED
        await asyncio.sleep(2)
        await post(transport, "http://shop/")

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert world.host("shop").incarnation.number == 2


def test_timers_and_tasks_of_a_dead_incarnation_never_run() -> None:
    ticks: list[int] = []

    def factory(environment: HostEnvironment) -> Any:
        async def tick() -> None:
            while True:
                await asyncio.sleep(1)
                ticks.append(environment.incarnation)

        asyncio.get_running_loop().create_task(tick())
        asyncio.get_running_loop().call_later(50, ticks.append, -environment.incarnation)
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await asyncio.sleep(3.5)
        world.crash("shop")
        await asyncio.sleep(100)
        await world.start("shop")
        await asyncio.sleep(2.5)

    run_in(world, ("shop", factory), main=main)
    assert ticks == [1, 1, 1, 2, 2]


def test_a_crash_that_swallows_everything_stays_dead() -> None:
    alive: list[str] = []

    async def immortal(scope: Any, receive: Any, send: Any) -> None:
        while True:
            try:
                await asyncio.sleep(1)
                alive.append("alive")
            except BaseException:
                if len(alive) > 50:
                    raise
                alive.append("swallowed")

    world = World(1)

    async def main(transport: Any) -> int:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=2.5)
        world.crash("shop")
        before = len(alive)
        await asyncio.sleep(100)
        return len(alive) - before

    assert run_in(world, ("shop", factory_of(immortal)), main=main) == 0


def test_the_peer_of_a_killed_client_sees_a_disconnect() -> None:
    seen: list[str] = []

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append((await receive())["type"])

    def caller(environment: HostEnvironment) -> Any:
        async def relay(scope: Any, receive: Any, send: Any) -> None:
            await post(environment.transport, "http://psp/", read_s=1000)

        return factory_of(relay)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        request = asyncio.create_task(post(transport, "http://shop/"))
        await asyncio.sleep(1)
        world.crash("shop")
        with pytest.raises(httpx.RemoteProtocolError):
            await request
        await asyncio.sleep(1)

    run_in(world, ("psp", factory_of(hold)), ("shop", caller), main=main)
    assert seen == ["http.disconnect"]


def test_an_exception_whose_audience_died_does_not_fail_the_run() -> None:
    world = World(1)

    async def die_and_fail() -> None:
        world.crash("shop")
        raise ValueError("into the void")

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.create_task(die_and_fail())

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(transport, "http://shop/")

    run_in(world, ("shop", factory_of(handle)), main=main)


def test_a_dead_incarnation_cannot_send() -> None:
    kept: list[httpx.AsyncBaseTransport] = []

    def factory(environment: HostEnvironment) -> Any:
        kept.append(environment.transport)
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        world.crash("shop")
        with pytest.raises(HostDead):
            await post(kept[0], "http://shop/")

    run_in(world, ("shop", factory), main=main)


def test_a_host_that_fails_to_come_back_is_written_down() -> None:
    def factory(environment: HostEnvironment) -> Any:
        if environment.incarnation > 1:
            raise RuntimeError("the disk is full")
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        world.crash("shop", down_s=5)
        await asyncio.sleep(10)

    run_in(world, ("shop", factory), main=main)
    assert [failure.doing for failure in world.application_errors] == ["start", "start again"]


def test_a_new_incarnation_draws_other_random_numbers() -> None:
    drawn: list[float] = []

    def factory(environment: HostEnvironment) -> Any:
        drawn.append(environment.random.random())
        return factory_of(say_ok)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await world.restart("shop")

    run_in(world, ("shop", factory), main=main)
    assert len(set(drawn)) == 2


# -- pauses -----------------------------------------------------------------------------------


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
