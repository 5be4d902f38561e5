"""What a rule makes of messages: lost, late, or held back between two hosts."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import httpx
import pytest

from scenarios.world import LatencyProfile, Lose, Message, Pass, World
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok


def test_a_partition_is_silent_and_nothing_happens() -> None:
    world, handled = World(1), []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        handled.append(scope["path"])
        await answer(send)

    async def main(transport: Any) -> None:
        world.partition("harness", "shop")
        with pytest.raises(httpx.ConnectTimeout):
            await post(transport, "http://shop/", connect_s=2)
        assert world.loop.time() == 2.0
        await world.heal()
        await post(transport, "http://shop/")

    run_in(world, ("shop", factory_of(note)), main=main)
    assert len(handled) == 1


def test_a_partition_of_the_way_back_loses_the_answer_to_what_did_happen() -> None:
    world, handled = World(1), []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        handled.append(scope["path"])
        await answer(send)

    async def main(transport: Any) -> None:
        world.partition("shop", "harness", one_way=True)
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=5)

    run_in(world, ("shop", factory_of(note)), main=main)
    assert len(handled) == 1


def test_a_partition_holds_whoever_is_named_first() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        world.partition("shop", "harness")
        with pytest.raises(httpx.ConnectTimeout):
            await post(transport, "http://shop/", connect_s=2)

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert not world.trace.of_kind("request_arrived")


def test_an_answer_whose_head_was_lost_never_arrives_in_part() -> None:
    class LoseFirstAnswer:
        answers = 0

        def on_message(self, message: Message) -> Lose | Pass:
            self.answers += message.direction == "response"
            return Lose() if message.direction == "response" and self.answers == 1 else Pass()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(1)
        await send({"type": "http.response.body", "body": b"tail"})

    world = World(1)
    world.network.install(LoseFirstAnswer())

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=5)

    run_in(world, ("shop", factory_of(stream)), main=main)


def test_a_partition_leaves_others_alone() -> None:
    world = World(1)

    async def main(transport: Any) -> None:
        world.partition("psp", None)
        await post(transport, "http://shop/")

    run_in(world, ("shop", factory_of(say_ok)), ("psp", factory_of(say_ok)), main=main)


def test_added_latency_delays_one_direction_only() -> None:
    world = World(1, latency=LatencyProfile())

    async def main(transport: Any) -> None:
        world.add_latency(2.5, receiver="shop")
        await post(transport, "http://shop/")
        assert world.loop.time() == 2.5
        await world.heal()
        await post(transport, "http://shop/")
        assert world.loop.time() == 2.5

    run_in(world, ("shop", factory_of(say_ok)), main=main)


def test_a_rule_of_ones_own_decides_by_message() -> None:
    class LoseSecondAnswer:
        answers = 0

        def on_message(self, message: Message) -> Lose | Pass:
            self.answers += message.direction == "response"
            lost = message.direction == "response" and self.answers == 2
            return Lose() if lost else Pass()

    world = World(1)
    world.network.install(LoseSecondAnswer())

    async def main(transport: Any) -> list[str]:
        results = []
        for _ in range(3):
            try:
                results.append(str((await post(transport, "http://shop/", read_s=1)).status_code))
            except httpx.ReadTimeout:
                results.append("lost")
        return results

    assert run_in(world, ("shop", factory_of(say_ok)), main=main) == ["200", "lost", "200"]


def test_a_rule_can_tell_a_disconnect_from_a_request() -> None:
    class Watch:
        directions: ClassVar[list[str]] = []

        def on_message(self, message: Message) -> Pass:
            self.directions.append(f"{message.sender} {message.direction}")
            return Pass()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(10)
        await answer(send)

    world = World(1)
    world.network.install(Watch())

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=1)
        await post(transport, "http://shop/", read_s=60)

    run_in(world, ("shop", factory_of(slow)), main=main)
    assert Watch.directions == [
        "harness request",
        "harness disconnect",
        "harness request",
        "shop response",
    ]


def test_a_lost_request_meets_the_read_timeout() -> None:
    class LoseAll:
        def on_message(self, message: Message) -> Lose:
            return Lose()

    world = World(1)
    world.network.install(LoseAll())

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await post(transport, "http://shop/", read_s=1)

    run_in(world, ("shop", factory_of(say_ok)), main=main)
    assert not world.trace.of_kind("request_arrived")
