"""A plain call and the same one with httpx's objects: the world cannot tell them apart."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from psp_sim.send_webhook import send_webhook
from scenarios.targets.plain_calls import PlainCalls
from scenarios.world import World
from scenarios.world.ports import HostEnvironment
from shop.plain_call import exchange
from tests.scenarios.world.helpers import answer, app_of, factory_of, say_ok


class OnlyHttpx(httpx.AsyncBaseTransport):
    """The same transport without its plain calls."""

    def __init__(self, environment: HostEnvironment) -> None:
        self.handle_async_request = environment.transport.handle_async_request  # type: ignore[method-assign]


async def _tells_what_came(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    told = repr((scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], body))
    await send({"type": "http.response.start", "status": 429, "headers": [(b"Retry-After", b"7")]})
    await send({"type": "http.response.body", "body": told.encode()})


async def _in_pieces(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(4):
        await send({"type": "http.response.body", "body": b"x" * 2000, "more_body": True})
        await asyncio.sleep(0.4)
    await send({"type": "http.response.body", "body": b"end"})


async def _much_too_late(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(100)
    await answer(send)


HANDLERS = {
    "tells": _tells_what_came,
    "in pieces": _in_pieces,
    "too late": _much_too_late,
}


def _played(handler: str, *, plain: bool, webhook: bool, crash: str = "") -> tuple[Any, list[str]]:
    """Return what the caller got, and the trace."""
    world = World(1)
    got: list[Any] = []

    async def caller(environment: HostEnvironment) -> Any:
        transport = PlainCalls(environment.transport, 2.0) if plain else OnlyHttpx(environment)
        got.append(await _called(transport, webhook=webhook))
        return app_of(say_ok)

    world.add_host("shop", factory_of(HANDLERS[handler]))
    world.add_host("psp", caller)
    if crash:
        world.crash_at("psp", "request", when=crash, path="/orders", down_s=1.0)  # type: ignore[arg-type]

    async def run() -> None:
        await world.start("shop")
        await world.start("psp")
        await asyncio.sleep(10)

    world.run(run())
    return got, list(world.trace.lines())


async def _called(transport: httpx.AsyncBaseTransport, *, webhook: bool) -> Any:
    url, headers = "http://shop:8081/orders/5?limit=2", {"X-One": "1"}
    if webhook:
        return await send_webhook(
            transport, url, headers, b"{}", connect_timeout_s=2.0, timeout_s=3.0
        )
    try:
        told = await exchange(transport, "GET", url, headers, timeout_s=3.0)
    except (httpx.HTTPError, TimeoutError):
        return "no answer"
    return told.status, told.headers.get("retry-after"), told.body


@pytest.mark.parametrize("webhook", [False, True])
@pytest.mark.parametrize("crash", ["", "before", "after"])
def test_the_same_is_sent_and_got_with_the_same_places_to_crash_at(
    webhook: bool, crash: str
) -> None:
    plain = _played("tells", plain=True, webhook=webhook, crash=crash)
    assert plain == _played("tells", plain=False, webhook=webhook, crash=crash)
    assert ("crash_point_reached" in str(plain[1])) == bool(crash)


@pytest.mark.parametrize("webhook", [False, True])
def test_an_answer_in_pieces_is_read_alike(webhook: bool) -> None:
    plain = _played("in pieces", plain=True, webhook=webhook)
    assert plain == _played("in pieces", plain=False, webhook=webhook)


@pytest.mark.parametrize("webhook", [False, True])
def test_an_answer_that_comes_too_late_is_none(webhook: bool) -> None:
    plain, _ = _played("too late", plain=True, webhook=webhook)
    by_httpx, _ = _played("too late", plain=False, webhook=webhook)
    assert plain == by_httpx
    assert "no answer" in str(plain)
