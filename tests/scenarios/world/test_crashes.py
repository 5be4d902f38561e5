"""A crash of a host: nothing half done is kept, nothing of the dead goes on, and it comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.world import HostDead, HostEnvironment, HostState, World
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT PRIMARY KEY)"


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
