from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.world import HostEnvironment, World
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (text TEXT PRIMARY KEY)"


class Shop:
    """Commits what it is sent, tells the bank, answers, and then does one thing more."""

    def __init__(self) -> None:
        self.after_answering: list[str] = []

    async def __call__(self, environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)

        async def handle(scope: Any, receive: Any, send: Any) -> None:
            text = (await receive())["body"].decode()
            async with environment.database.transaction() as transaction:
                await transaction.execute(
                    "INSERT INTO notes VALUES (?) ON CONFLICT DO NOTHING", text
                )
            if scope["path"] == "/orders":
                await post(environment.transport, "http://bank/pay", text.encode())
            await answer(send)
            self.after_answering.append(text)

        return factory_of(handle)(environment)


class Bank:
    def __init__(self) -> None:
        self.paid: list[str] = []

    def __call__(self, environment: HostEnvironment) -> Any:
        async def pay(scope: Any, receive: Any, send: Any) -> None:
            self.paid.append((await receive())["body"].decode())
            await answer(send)

        return factory_of(pay)(environment)


class Story:
    """One order with one crash point: what the client, the bank and the disk then know."""

    def __init__(self, path: str = "/orders", at: str = "", **point: Any) -> None:
        self.world, self.shop, self.bank = World(1), Shop(), Bank()
        self.answer = ""

        async def main(transport: Any) -> None:
            self.point = self.world.crash_at("shop", path=at, **point)
            try:
                response = await post(transport, f"http://shop{path}", b"one", read_s=30)
                self.answer = str(response.status_code)
            except httpx.TransportError as error:
                self.answer = type(error).__name__
            await asyncio.sleep(100)

        run_in(self.world, ("bank", self.bank), ("shop", self.shop), main=main)

    @property
    def stored(self) -> list[str]:
        rows = self.world.host("shop").disk.connection.execute("SELECT text FROM notes")
        return [row[0] for row in rows]

    @property
    def facts(self) -> tuple[list[str], list[str], str, list[str]]:
        return (self.stored, self.bank.paid, self.answer, self.shop.after_answering)


@pytest.mark.parametrize(
    ("site", "when", "stored", "paid", "outcome"),
    [
        ("commit", "before", [], [], "RemoteProtocolError"),
        ("commit", "after", ["one"], [], "RemoteProtocolError"),
        ("request", "before", ["one"], [], "RemoteProtocolError"),
        ("request", "after", ["one"], ["one"], "RemoteProtocolError"),
        ("response", "before", ["one"], ["one"], "RemoteProtocolError"),
        ("response", "after", ["one"], ["one"], "200"),
    ],
)
def test_a_host_dies_exactly_there(
    site: Any, when: Any, stored: list[str], paid: list[str], outcome: str
) -> None:
    story = Story(site=site, when=when)
    assert story.point.fired
    assert story.facts == (stored, paid, outcome, [])
    assert story.world.host("shop").incarnation.number == 2


def test_without_power_the_answer_that_left_still_arrives() -> None:
    assert Story(site="response", when="after", mode="power").answer == "200"


def test_without_power_the_answer_that_did_not_leave_is_silence() -> None:
    assert Story(site="response", when="before", mode="power").answer == "ReadTimeout"


@pytest.mark.parametrize(
    ("mode", "error"), [("power", httpx.ReadTimeout), ("kill", httpx.RemoteProtocolError)]
)
def test_half_an_answer_does_not_leave_a_dying_host(
    mode: Any, error: type[httpx.TransportError]
) -> None:
    async def factory(environment: HostEnvironment) -> Any:
        await environment.database.apply_schema(SCHEMA)

        async def half(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            async with environment.database.transaction() as transaction:
                await transaction.execute("INSERT INTO notes VALUES ('x')")
            await send({"type": "http.response.body", "body": b"rest"})

        return factory_of(half)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        world.crash_at("shop", "commit", when="before", mode=mode, down_s=None)
        with pytest.raises(error):
            await transport.handle_async_request(
                httpx.Request("POST", "http://shop/", extensions={"timeout": {"read": 5}})
            )

    run_in(world, ("shop", factory), main=main)


def test_a_point_that_is_not_reached_says_so() -> None:
    story = Story(site="commit", nth=2)
    assert not story.point.fired
    assert story.facts == (["one"], ["one"], "200", ["one"])


def test_a_path_narrows_the_responses() -> None:
    assert not Story("/orders", at="/webhooks", site="response").point.fired
    story = Story("/webhooks/psp", at="/webhooks", site="response", when="after")
    assert story.point.fired


def test_passages_are_counted_over_incarnations() -> None:
    world, shop, bank = World(1), Shop(), Bank()
    answers: list[str] = []

    async def main(transport: Any) -> None:
        world.crash_at("shop", "commit", nth=1, when="before", down_s=1)
        third = world.crash_at("shop", "commit", nth=3, when="after", down_s=1)
        for number in range(4):
            try:
                await post(transport, "http://shop/orders", b"%d" % number)
                answers.append("ok")
            except httpx.RemoteProtocolError:
                answers.append("crashed")
            await asyncio.sleep(5)
        assert third.fired

    run_in(world, ("bank", bank), ("shop", shop), main=main)
    assert answers == ["crashed", "ok", "crashed", "ok"]
    assert world.host("shop").crash_points.passages["commit"] == 4


def test_a_request_that_failed_is_a_passage_too() -> None:
    world, shop = World(1), Shop()

    async def main(transport: Any) -> None:
        point = world.crash_at("shop", "request", when="after")
        with pytest.raises(httpx.RemoteProtocolError):
            await post(transport, "http://shop/orders", b"one")
        assert point.fired

    run_in(world, ("shop", shop), main=main)
    assert world.trace.of_kind("request_failed")[0].fields["error"] == "ConnectError"


def test_reading_is_no_commit() -> None:
    def factory(environment: HostEnvironment) -> Any:
        async def read(scope: Any, receive: Any, send: Any) -> None:
            async with environment.database.transaction() as transaction:
                await transaction.fetch_one("SELECT 1")
            await answer(send)

        return factory_of(read)(environment)

    world = World(1)

    async def main(transport: Any) -> None:
        await post(transport, "http://shop/")

    run_in(world, ("shop", factory), main=main)
    assert world.host("shop").crash_points.passages["commit"] == 0


def test_a_crash_during_startup_does_not_hang_the_start() -> None:
    starts: list[int] = []

    async def factory(environment: HostEnvironment) -> Any:
        starts.append(environment.incarnation)
        await environment.database.apply_schema(SCHEMA)
        async with environment.database.transaction() as transaction:
            await transaction.execute("INSERT INTO notes VALUES (?)", str(environment.incarnation))
        return factory_of(say_ok)(environment)

    world = World(1)
    world.add_host("shop", factory)
    world.crash_at("shop", "commit", down_s=5)

    async def main() -> int:
        await world.start("shop")
        assert world.loop.time() == 0.0
        await asyncio.sleep(6)
        return (await post(world.transport_for(), "http://shop/")).status_code

    assert world.run(main()) == 200
    assert starts == [1, 2]


def test_a_healed_world_crashes_no_more() -> None:
    world, shop, bank = World(1), Shop(), Bank()

    async def main(transport: Any) -> int:
        world.crash_at("shop", "commit", nth=1)
        await world.heal()
        return (await post(transport, "http://shop/orders", b"one")).status_code

    assert run_in(world, ("bank", bank), ("shop", shop), main=main) == 200
