"""The shop as processes, over real HTTP, against a provider and a warehouse in the test's own."""

from __future__ import annotations

import asyncio
import os
import re
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

from psp_sim.server import KEEP_ALIVE_S
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
        uvicorn.Config(
            app,
            port=0,
            log_level="error",
            lifespan="off",
            ws="none",
            backlog=2048,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
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


def client_of(address: str) -> httpx.AsyncClient:
    """A client that waits for however long a busy machine may stand still.

    It keeps no idle connections, since one may be closed at the moment when it is used again.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE_S, limits=limits)


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
