"""The real world's side of the seam: a socket, uvicorn, and an HTTP transport."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from psp_sim.guarded_transport import GuardedTransport
from psp_sim.http_arrival import ArrivingRequests
from psp_sim.whole_answers import WholeAnswers

GRACEFUL_STOP_S = 3
# A call whose client goes away ends within one turn of the loop or two.
_BREAKING_OFF_S = 2.0
# Longer than most clients keep a connection for later use, so that none finds it just closed.
KEEP_ALIVE_S = 120


class AbortableProtocol(ArrivingRequests):
    """Gives the application the ASGI extension ``connection.abort``: reset, without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Have answers leave in one piece."""
        super().connection_made(WholeAnswers(transport, self.loop))

    def on_message_begin(self) -> None:
        """Add the extension to each request's scope."""
        super().on_message_begin()
        abort: Any = self._abort
        self.scope["extensions"] = {"connection.abort": abort}

    def _abort(self) -> None:
        self.transport.abort()


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


class _Server(uvicorn.Server):
    """Announces that it is ready, and ends in an orderly way when asked to stop.

    Asked twice, uvicorn waits for no call, but breaks none off and does not end the lifespan: what
    works on would find its database closed.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        stop: Callable[[], None],
        hurry: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._stop = stop
        self._hurry = hurry

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.force_exit = self.should_exit
        self.should_exit = True
        if self.force_exit:
            self._hurry()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        await super().shutdown(sockets)
        calls = [*self.server_state.tasks]
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls, timeout=_BREAKING_OFF_S)
        # Once more does no harm.
        await self.lifespan.shutdown()


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL under which a bound socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def real_transport(
    connect_timeout_s: float | None = None, *, allow_public: bool = False
) -> httpx.AsyncBaseTransport:
    """Return a transport over real sockets that calls none but checked addresses.

    It takes the limit for connecting here alone, and not from each request.
    """
    return GuardedTransport(connect_timeout_s, allow_public=allow_public)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return how to make the fastest event loop that is installed, or None for the default."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(
    app: ASGIApp,
    bound: socket.socket,
    announce: Callable[[], None],
    stop: Callable[[], None] = lambda: None,
    hurry: Callable[[], None] = lambda: None,
) -> bool:
    """Serve until SIGINT or SIGTERM; tell whether the application could start.

    ``stop`` is called before open requests are waited for, so that those held open can end, and
    ``hurry`` when nothing is to be waited for any longer: at a second signal.
    """
    config = uvicorn.Config(
        BreakOffWhenStopped(app),
        http=AbortableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
    )
    server = _Server(config, announce, stop, hurry)
    await server.serve(sockets=[bound])
    return server.started
