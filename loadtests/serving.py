"""A small application comes in; a server that says where it listens goes on until it is stopped."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn
from starlette.applications import Starlette

WRONG_USAGE = 2


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, name: str, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._name = name

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        host, port = sockets[0].getsockname()[:2]
        print(f"{self._name} listening on http://{host}:{port}", flush=True)


def serve(name: str, app: Starlette, host: str, port: int) -> int:
    """Serve until the end; return the exit status."""
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except (OSError, OverflowError) as problem:
        print(f"{name}: cannot listen on {host}:{port}: {problem}", file=sys.stderr)
        return WRONG_USAGE
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="warning")
    with listener:
        asyncio.run(_Server(name, config).serve(sockets=[listener]))
    return 0
