"""Requests and answers between hosts: what they carry, how long they take, how they fail."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.world import HEAVY, World
from scenarios.world.network import message_key
from tests.scenarios.world.helpers import answer, factory_of, post, run_in, say_ok


def test_a_request_and_its_answer_carry_everything() -> None:
    seen: dict[str, Any] = {}

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        message = await receive()
        headers = [(b"content-type", b"text/plain"), (b"x-one", b"1")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": message["body"] * 2})

    async def main(transport: Any) -> httpx.Response:
        request = httpx.Request(
            "PUT", "http://shop:8081/a%20b?x=1", content=b"hey", headers={"X-Two": "2"}
        )
        response = await transport.handle_async_request(request)
        await response.aread()
        return response

    response = run_in(World(1), ("shop", factory_of(echo)), main=main)
    assert (response.status_code, response.content) == (201, b"heyhey")
    assert response.headers["x-one"] == "1"
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("PUT", "/a b", b"/a%20b")
    assert (seen["query_string"], seen["server"]) == (b"x=1", ("10.0.0.2", 8081))
    assert (b"x-two", b"2") in seen["headers"]
    assert (b"host", b"shop:8081") in seen["headers"]
    assert seen["client"][0] == "127.0.0.1"


def test_a_host_that_calls_another_has_its_own_address() -> None:
    clients: list[str] = []

    async def note_client(scope: Any, receive: Any, send: Any) -> None:
        clients.append(scope["client"][0])
        await answer(send)

    def caller(environment: Any) -> Any:
        async def relay(scope: Any, receive: Any, send: Any) -> None:
            await post(environment.transport, "http://target/")
            await answer(send)

        return factory_of(relay)(environment)

    async def main(transport: Any) -> None:
        await post(transport, "http://caller/")

    run_in(World(1), ("caller", caller), ("target", factory_of(note_client)), main=main)
    assert clients == ["10.0.0.2"]


def test_an_httpx_client_works_on_the_transport() -> None:
    async def main(transport: Any) -> str:
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return (await client.get("/x")).text

    assert run_in(World(1), ("shop", factory_of(say_ok)), main=main) == "ok"


def test_messages_take_time_and_the_same_message_the_same_time() -> None:
    def times(seed: int) -> list[float]:
        world = World(seed)

        async def main(transport: Any) -> list[float]:
            took = []
            for _ in range(5):
                began = world.now()
                await post(transport, "http://shop/")
                took.append(round(world.now() - began, 6))
            return took

        return run_in(world, ("shop", factory_of(say_ok)), main=main)

    assert times(1) == times(1)
    assert times(1) != times(2)
    assert len(set(times(1))) == 5
    assert all(0.002 <= took <= 0.006 for took in times(1))


def test_one_more_message_elsewhere_does_not_change_the_latency_of_the_others() -> None:
    def took(extra: bool) -> float:
        world = World(1)

        async def main(transport: Any) -> float:
            if extra:
                await post(transport, "http://shop/other")
            began = world.loop.now_us
            await post(transport, "http://shop/orders")
            return world.loop.now_us - began

        return run_in(world, ("shop", factory_of(say_ok)), main=main)

    assert took(True) == took(False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/payments/pay_4fz9", "POST /v1/payments/*"),
        ("/orders/123456/items", "POST /orders/*/items"),
        ("/webhooks/psp", "POST /webhooks/psp"),
    ],
)
def test_identifiers_do_not_count_in_a_message_key(path: str, expected: str) -> None:
    assert message_key(httpx.Request("POST", f"http://psp{path}?q=9")) == expected


def test_a_host_that_is_down_refuses() -> None:
    world = World(1)
    world.add_host("off", factory_of(say_ok))

    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ConnectError):
            await post(transport, "http://off/")
        assert world.loop.time() < 0.1

    run_in(world, main=main)


def test_a_name_that_nobody_has_cannot_be_resolved() -> None:
    async def main(transport: Any) -> None:
        with pytest.raises(httpx.ConnectError, match="Name or service not known"):
            await post(transport, "http://example.com/")

    run_in(World(1), main=main)


def test_an_exception_of_the_application_is_a_500_and_is_written_down() -> None:
    world = World(1)

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("oops")

    async def main(transport: Any) -> httpx.Response:
        return await post(transport, "http://shop/pay")

    response = run_in(world, ("shop", factory_of(fail)), main=main)
    assert (response.status_code, response.text) == (500, "Internal Server Error")
    (failure,) = world.application_errors
    assert (failure.host, failure.doing) == ("shop", "POST /pay")
    assert isinstance(failure.error, KeyError)
    assert [record.fields["error"] for record in world.trace.of_kind("application_failed")] == [
        "KeyError"
    ]


def test_an_application_that_never_answers_is_a_500_as_well() -> None:
    world = World(1)

    async def say_nothing(scope: Any, receive: Any, send: Any) -> None:
        return

    async def main(transport: Any) -> int:
        return (await post(transport, "http://shop/")).status_code

    assert run_in(world, ("shop", factory_of(say_nothing)), main=main) == 500
    assert len(world.application_errors) == 1


def test_a_streamed_answer_arrives_piece_by_piece() -> None:
    world = World(1)

    async def count(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            await asyncio.sleep(10)
        await send({"type": "http.response.body", "body": b"end"})

    async def main(transport: Any) -> list[tuple[int, bytes]]:
        request = httpx.Request(
            "GET", "http://shop/", extensions={"timeout": {"connect": 1, "read": 15}}
        )
        response = await transport.handle_async_request(request)
        return [(round(world.loop.time()), part) async for part in response.aiter_raw()]

    parts = run_in(world, ("shop", factory_of(count)), main=main)
    assert parts == [(0, b"0"), (10, b"1"), (20, b"2"), (30, b"end")]


def test_a_streamed_answer_is_read_whole() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b", "more_body": True})
        await asyncio.sleep(1)
        await send({"type": "http.response.body", "body": b"c"})

    async def main(transport: Any) -> bytes:
        return (await post(transport, "http://shop/")).content

    assert run_in(World(1), ("shop", factory_of(stream)), main=main) == b"abc"


def test_the_parts_of_an_answer_never_overtake_each_other() -> None:
    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(50):
            more = {"type": "http.response.body", "body": b"%d " % number, "more_body": True}
            await send(more)
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"end"})

    async def main(transport: Any) -> bytes:
        return (await post(transport, "http://shop/", read_s=1000)).content

    expected = b" ".join(b"%d" % number for number in range(50)) + b" end"
    assert run_in(World(1, latency=HEAVY), ("shop", factory_of(stream)), main=main) == expected
