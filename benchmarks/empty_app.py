"""The raw limit of any service here: the same server, and an application that does nothing."""

from __future__ import annotations

import uvloop
from starlette.types import Receive, Scope, Send

from psp_sim.server import bind, serve, url_of


async def empty_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with 204; have no part in anything else."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


if __name__ == "__main__":
    with bind("127.0.0.1", 0) as bound:
        uvloop.run(serve(empty_app, bound, lambda: print(f"listening on {url_of(bound)}")))
