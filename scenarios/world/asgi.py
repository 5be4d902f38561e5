"""The server's side of ASGI: an application goes in, is started, and answers as under uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from scenarios.world.crash_points import CrashPoints
from scenarios.world.exchange import Exchange
from scenarios.world.incarnation import Incarnation
from scenarios.world.network import Network
from scenarios.world.ports import AsgiApp, AsgiMessage, Scope

Report = Callable[[str, Exception], None]

_ASGI = {"version": "3.0", "spec_version": "2.4"}
_FAILED_BODY = b"Internal Server Error"
_FAILED_HEADERS = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"21"),
    (b"connection", b"close"),
]


class ServerCall:
    """One request being handled by one incarnation. Its client's timeout does not end it."""

    def __init__(
        self,
        network: Network,
        incarnation: Incarnation,
        crash_points: CrashPoints,
        exchange: Exchange,
        report: Report,
    ) -> None:
        self._network = network
        self._incarnation = incarnation
        self._crash_points = crash_points
        self._exchange = exchange
        self._report = report
        self._request_read = False
        self._disconnected = False
        self._complete = False
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._over: asyncio.Event | None = None
        exchange.on_disconnect = self._notice_disconnect

    async def run(self, app: AsgiApp, state: dict[str, Any]) -> None:
        """Let the application handle the request, and end the connection as uvicorn would."""
        try:
            await app(self._scope(state), self._receive, self._send)
        except Exception as error:
            await self._end_badly(error)
        except asyncio.CancelledError:
            self._abort()
            raise
        else:
            if not self._complete and not self._disconnected:
                await self._end_badly(
                    RuntimeError("the application returned without a complete response")
                )
        finally:
            self._incarnation.incoming.pop(self._exchange.number, None)
            # Call and exchange hold each other: with no collector at work, both would stay.
            self._exchange.on_disconnect = None

    async def _end_badly(self, error: Exception) -> None:
        self._report(f"{self._exchange.method} {self._exchange.path}", error)
        if self._status or self._disconnected:
            self._abort()
            return
        await self._send({"type": "http.response.start", "status": 500, "headers": _FAILED_HEADERS})
        await self._send({"type": "http.response.body", "body": _FAILED_BODY})

    def _scope(self, state: dict[str, Any]) -> Scope:
        exchange = self._exchange
        raw_path, _, query = exchange.target.partition("?")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": exchange.method,
            "scheme": exchange.scheme,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": exchange.headers,
            "client": exchange.client,
            "server": exchange.server,
            "state": state.copy(),
            "extensions": {"connection.abort": self._abort},
        }

    async def _receive(self) -> AsgiMessage:
        if not self._request_read and not self._disconnected:
            self._request_read = True
            return {"type": "http.request", "body": self._exchange.body, "more_body": False}
        if not self._disconnected and not self._complete:
            self._over = self._over or asyncio.Event()
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: AsgiMessage) -> None:
        self._incarnation.check_alive()
        if self._disconnected:
            return
        if self._complete:
            raise RuntimeError(f"{message['type']} was sent after the response was complete")
        expected = "http.response.body" if self._status else "http.response.start"
        if message["type"] != expected:
            raise RuntimeError(f"expected {expected}, but {message['type']} was sent")
        if expected == "http.response.start":
            self._start(message)
        else:
            await self._add_body(message)

    def _start(self, message: AsgiMessage) -> None:
        self._status = message["status"]
        self._headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        self._network.depart(self._exchange, self._status, self._headers)

    async def _add_body(self, message: AsgiMessage) -> None:
        chunk = message.get("body", b"") if self._exchange.method != "HEAD" else b""
        if message.get("more_body", False):
            self._body.append(chunk)
            self._network.depart(self._exchange).chunks.append(chunk)
            return
        points = self._crash_points.passing("response", self._exchange.path)
        if points:
            await self._crash_points.reach(points, "before")
        self._body.append(chunk)
        self._finish(chunk)
        if points:
            await self._crash_points.reach(points, "after")

    def _finish(self, chunk: bytes) -> None:
        exchange = self._exchange
        parcel = self._network.depart(exchange)
        parcel.chunks.append(chunk)
        parcel.complete = exchange.answered = True
        self._network.trace.record(
            "response_sent", id=exchange.number, status=self._status, body=b"".join(self._body)
        )
        self._complete = True
        self._end()

    def _abort(self) -> None:
        """Drop the connection without a (complete) answer."""
        if not self._complete and not self._disconnected:
            self._network.trace.record("connection_dropped", id=self._exchange.number)
            self._network.cut(self._exchange)
            self._disconnect()

    def _notice_disconnect(self) -> None:
        # A step of the host: one that was paused reads the request first and then its end.
        context = self._incarnation.new_context()
        self._network.loop.call_soon(self._disconnect, context=context)

    def _disconnect(self) -> None:
        self._disconnected = True
        self._end()

    def _end(self) -> None:
        if self._over is not None:
            self._over.set()


class Lifespan:
    """Startup and shutdown of one application. ``state`` is what its requests share."""

    def __init__(self, app: AsgiApp, report: Report) -> None:
        loop = asyncio.get_running_loop()
        self.state: dict[str, Any] = {}
        self.started: asyncio.Future[str | None] = loop.create_future()
        self.stopped: asyncio.Future[str | None] = loop.create_future()
        self._app = app
        self._report = report
        self._inbox: asyncio.Queue[AsgiMessage] = asyncio.Queue()
        self._inbox.put_nowait({"type": "lifespan.startup"})

    async def run(self) -> None:
        """Drive the application's lifespan; ``started`` and ``stopped`` get None or a reason."""
        scope = {"type": "lifespan", "asgi": _ASGI, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except Exception as error:
            # Before startup an exception means that the application has no lifespan: servers go on.
            if self.started.done():
                self._report("lifespan", error)
        _settle(self.started, None)
        _settle(self.stopped, None)

    async def shut_down(self) -> str | None:
        """Ask the application to shut down and wait until it has; return its complaint, if any."""
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        return await self.stopped

    async def _send(self, message: AsgiMessage) -> None:
        phase, _, result = message["type"].removeprefix("lifespan.").partition(".")
        problem = (message.get("message") or "no reason given") if result == "failed" else None
        _settle(self.started if phase == "startup" else self.stopped, problem)


def _settle(future: asyncio.Future[str | None], value: str | None) -> None:
    if not future.done():
        future.set_result(value)
