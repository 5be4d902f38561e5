"""Small applications and clients for tests of the world: plain ASGI, so that nothing is hidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from scenarios.world import AsgiApp, HostEnvironment, World

Handler = Callable[[Any, Any, Any], Awaitable[None]]


def app_of(handler: Handler) -> AsgiApp:
    """Return an application that hands every HTTP request to the handler."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await handler(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    return app


def factory_of(handler: Handler) -> Callable[[HostEnvironment], AsgiApp]:
    return lambda environment: app_of(handler)


async def answer(send: Any, body: bytes = b"ok", status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def say_ok(scope: Any, receive: Any, send: Any) -> None:
    await answer(send)


async def post(
    transport: httpx.AsyncBaseTransport,
    url: str,
    body: bytes = b"",
    *,
    connect_s: float = 2.0,
    read_s: float = 5.0,
) -> httpx.Response:
    timeout = {"connect": connect_s, "read": read_s, "write": read_s, "pool": connect_s}
    request = httpx.Request("POST", url, content=body, extensions={"timeout": timeout})
    response = await transport.handle_async_request(request)
    await response.aread()
    await response.aclose()
    return response


def run_in(world: World, *hosts: tuple[str, Callable[..., Any]], main: Any, **options: Any) -> Any:
    """Add and start the hosts, then run ``main(transport of the harness)``."""
    for name, factory in hosts:
        world.add_host(name, factory)

    async def whole() -> Any:
        await world.start(*(name for name, _ in hosts))
        return await main(world.transport_for())

    return world.run(whole(), **options)
