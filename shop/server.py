"""The shop's side of the seam to a real server: uvicorn's protocol, with ends of our own."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shop.domain.errors import MalformedHttp
from shop.http_support import problem_response

# A call whose client goes away ends within one turn of the loop or two.
_BREAKING_OFF_S = 2.0
_MALFORMED = "this is not HTTP/1.1, or a method that nothing here takes; nothing was done"


class ShopProtocol(HttpToolsProtocol):
    """Gives the application the ASGI extension ``connection.abort``: reset, without an answer."""

    def on_message_begin(self) -> None:
        """Add the extension to each request's scope."""
        super().on_message_begin()
        abort: Any = self._abort
        self.scope["extensions"] = {"connection.abort": abort}

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answer what cannot be read as HTTP like every other error, and close the connection."""
        if self._is_at_work():
            # The client would take this for the answer to that call, which may well be carried out.
            self._abort()
            return
        answer = problem_response(MalformedHttp(_MALFORMED))
        headers = [
            *self.server_state.default_headers,
            *answer.raw_headers,
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 400 Bad Request", *(b": ".join(header) for header in headers)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
        self.transport.close()

    def _is_at_work(self) -> bool:
        """Tell whether a call has arrived whole and has no whole answer."""
        if self.pipeline:
            return True
        return self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)

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
