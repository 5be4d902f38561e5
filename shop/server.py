"""The shop's side of the seam to a real server: uvicorn's protocol, with ends of our own."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from shop.http_arrival import ArrivingRequests

# A call whose client goes away ends within one turn of the loop or two.
_BREAKING_OFF_S = 2.0


class ShopProtocol(ArrivingRequests):
    """Gives the application the ASGI extension ``connection.abort``: reset, without an answer."""

    def on_message_begin(self) -> None:
        """Add the extension to each request's scope."""
        super().on_message_begin()
        abort: Any = self._abort
        self.scope["extensions"] = {"connection.abort": abort}

    def _abort(self) -> None:
        self.transport.abort()


async def end_what_is_left(server: uvicorn.Server) -> None:
    """Break off calls that are still under way, then have the application end its work.

    Told twice to stop, uvicorn does neither, and what works on would find its database closed.
    """
    calls = [*server.server_state.tasks]
    for call in calls:
        call.cancel()
    if calls:
        await asyncio.wait(calls, timeout=_BREAKING_OFF_S)
    # Once more does no harm.
    await server.lifespan.shutdown()


class BreakOffWhenStopped:
    """Breaks a call off without an answer when the server stops and has waited for long enough.

    Whether what was asked for has been done is open then, so any answer would say too much.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            abort = scope.get("extensions", {}).get("connection.abort")
            if abort is None:
                raise
            abort()
            # To the server, ending without an answer is orderly only once the client is gone.
            while (await receive())["type"] != "http.disconnect":
                pass
