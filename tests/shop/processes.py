"""The shop as processes, over real HTTP, against a provider and a warehouse in the test's own."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.shop.fakes import PATIENCE_S, FakeWorld

ROOT = Path(__file__).parents[2]
KEY = "sk_test"
METHODS = ["GET", "POST", "PATCH", "DELETE"]
_LISTENING = re.compile(r"shop listening on (http://\S+)")


@asynccontextmanager
async def serving(world: FakeWorld) -> AsyncIterator[str]:
    """Put a fake world on a real port; its warehouse is at ``/shipments``."""

    async def answer(request: Request) -> Response:
        host = "http://warehouse" if request.url.path == "/shipments" else "http://psp:8080"
        query = f"?{request.url.query}" if request.url.query else ""
        asked = httpx.Request(
            request.method,
            f"{host}{request.url.path}{query}",
            headers=request.headers.raw,
            content=await request.body(),
        )
        given = await world.handle_async_request(asked)
        return Response(await given.aread(), given.status_code, dict(given.headers))

    app = Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none", backlog=2048)
    )
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@asynccontextmanager
async def shop_process(
    *options: str, log: Path, parts: Sequence[str] = ("-m", "shop")
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A shop that listens, and its URL; killed at the end if it still runs."""
    environment = {name: text for name, text in os.environ.items() if "SHOP_" not in name}
    environment |= {"SHOP_PSP_KEY": KEY, "PYTHONPATH": str(ROOT)}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *parts, "serve", *options,
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=output,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        found = _LISTENING.search(line)
        assert found, f"{line!r}; the rest is in {log}"
        yield process, found[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
