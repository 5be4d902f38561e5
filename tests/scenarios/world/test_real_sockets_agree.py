"""One test body, two arms: the simulated network and uvicorn on real sockets must agree."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from scenarios.world import World
from tests.scenarios.world.helpers import Handler, answer, app_of, post

Body = Callable[[httpx.AsyncBaseTransport, str, str], Awaitable[Any]]
Arm = Callable[[Handler, Body], Any]
# A busy machine may stand still for seconds; only who is to lose patience may lose it.
PATIENT_S = 60.0


def simulated(handler: Handler, body: Body) -> Any:
    """Run the body against a host of a world."""
    world = World(1)
    world.add_host("server", lambda environment: app_of(handler))
    world.add_host("off", lambda environment: app_of(handler))

    async def main() -> Any:
        await world.start("server")
        return await body(world.transport_for(), "http://server:80", "http://off:80")

    return world.run(main())


def real(handler: Handler, body: Body) -> Any:
    """Run the body against uvicorn on a free port of the loopback interface."""

    async def main() -> Any:
        config = uvicorn.Config(
            _with_abort(app_of(handler)), port=0, log_level="critical", ws="none", http="httptools"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with httpx.AsyncHTTPTransport() as transport:
                return await body(transport, f"http://127.0.0.1:{port}", "http://127.0.0.1:9")
        finally:
            server.should_exit = True
            await serving

    return asyncio.run(main())


def _with_abort(app: Any) -> Any:
    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            transport = receive.__self__.transport
            scope.setdefault("extensions", {})["connection.abort"] = transport.abort
        await app(scope, receive, send)

    return wrapped


@pytest.fixture(params=[simulated, real], ids=["simulated", "real"])
def arm(request: pytest.FixtureRequest) -> Arm:
    return request.param  # type: ignore[no-any-return]


async def outcome(transport: httpx.AsyncBaseTransport, url: str, read_s: float = PATIENT_S) -> str:
    """Return the status and body, or the name of the exception."""
    try:
        response = await post(transport, url, b"hello", connect_s=PATIENT_S, read_s=read_s)
    except httpx.TransportError as error:
        return type(error).__name__
    return f"{response.status_code} {response.text}"


async def handle(scope: Any, receive: Any, send: Any) -> None:
    path, message = scope["path"], await receive()
    start = {"type": "http.response.start", "status": 200, "headers": []}
    if path == "/echo":
        await answer(send, message["body"], 201)
    elif path == "/slow":
        await asyncio.sleep(1)
        await answer(send)
    elif path == "/abort":
        scope["extensions"]["connection.abort"]()
    elif path == "/fail":
        raise ValueError("on purpose")
    elif path == "/silent":
        return
    elif path == "/half-then-abort":
        await send(start)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(0.05)
        scope["extensions"]["connection.abort"]()
    elif path == "/half-then-fail":
        await send(start)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(0.05)
        raise ValueError("on purpose")
    elif path == "/half-then-slow":
        await send(start)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(1)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/echo", "201 hello"),
        ("/slow", "ReadTimeout"),
        ("/abort", "RemoteProtocolError"),
        ("/fail", "500 Internal Server Error"),
        ("/silent", "500 Internal Server Error"),
        ("/half-then-abort", "RemoteProtocolError"),
        ("/half-then-fail", "RemoteProtocolError"),
        ("/half-then-slow", "ReadTimeout"),
    ],
)
def test_a_client_meets_the_same(arm: Arm, path: str, expected: str) -> None:
    async def body(transport: httpx.AsyncBaseTransport, url: str, off: str) -> str:
        read_s = 0.3 if expected == "ReadTimeout" else PATIENT_S
        return await outcome(transport, url + path, read_s)

    assert arm(handle, body) == expected


def test_a_closed_port_refuses(arm: Arm) -> None:
    async def body(transport: httpx.AsyncBaseTransport, url: str, off: str) -> str:
        return await outcome(transport, off)

    assert arm(handle, body) == "ConnectError"


def test_an_unknown_name_is_a_connect_error(arm: Arm) -> None:
    async def body(transport: httpx.AsyncBaseTransport, url: str, off: str) -> str:
        return await outcome(transport, "http://no-such-host.invalid/")

    assert arm(handle, body) == "ConnectError"


def test_a_handler_goes_on_after_its_client_has_gone_and_sees_it(arm: Arm) -> None:
    log: list[str] = []

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        log.append((await receive())["type"])
        await asyncio.sleep(0.1)
        log.append("finished")
        await answer(send)

    async def body(transport: httpx.AsyncBaseTransport, url: str, off: str) -> str:
        result = await outcome(transport, url, 0.1)
        await asyncio.sleep(0.5)
        return result

    assert arm(hold, body) == "ReadTimeout"
    assert log == ["http.disconnect", "finished"]


def test_receiving_after_the_answer_is_a_disconnect(arm: Arm) -> None:
    log: list[str] = []

    async def answer_first(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await answer(send)
        log.append((await receive())["type"])

    async def body(transport: httpx.AsyncBaseTransport, url: str, off: str) -> str:
        result = await outcome(transport, url)
        await asyncio.sleep(0.1)
        return result

    assert arm(answer_first, body) == "200 ok"
    assert log == ["http.disconnect"]
