"""The httpx transport of one participant: requests in, answers or httpx's own exceptions out."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

import httpx

from scenarios.world.crash_points import CrashPoints
from scenarios.world.exchange import Answer, Exchange, Headers, Outcome
from scenarios.world.incarnation import Incarnation
from scenarios.world.network import Network, blanked

_HTTP_1_1 = {"http_version": b"HTTP/1.1"}


class Address(NamedTuple):
    """Where a request goes: a URL, taken apart."""

    host: str
    port: int
    target: str
    scheme: str = "http"


class SimulatedTransport(httpx.AsyncBaseTransport):
    """Sends through the simulated network in the name of ``source``.

    ``incarnation`` and ``crash_points`` are those of the host; None for participants outside.
    Obeys ``request.extensions["timeout"]`` (keys ``connect`` and ``read``, in seconds).
    Raises ConnectError, ConnectTimeout, ReadTimeout and RemoteProtocolError where real sockets do.
    """

    def __init__(
        self,
        network: Network,
        source: str,
        incarnation: Incarnation | None = None,
        crash_points: CrashPoints | None = None,
    ) -> None:
        self._network = network
        self._source = source
        self._incarnation = incarnation
        self._crash_points = crash_points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and wait for its answer."""
        if self._incarnation is not None:
            self._incarnation.check_alive()
        if self._crash_points is None:
            return await self._exchange(request)
        points = self._crash_points.passing("request", request.url.path)
        await self._crash_points.reach(points, "before")
        try:
            response = await self._exchange(request)
        except httpx.TransportError:
            await self._crash_points.reach(points, "after")
            raise
        await self._crash_points.reach(points, "after")
        return response

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        exchange = self._open(request, await request.aread(), timeouts.get("read"))
        outcome = await self._outcome_of(exchange, timeouts.get("connect"))
        try:
            return self._response(exchange, request, outcome)
        finally:
            del outcome, exchange

    async def _outcome_of(self, exchange: Exchange, connect_timeout_s: float | None) -> Outcome:
        outgoing = self._incarnation.outgoing if self._incarnation else {}
        outgoing[exchange.number] = exchange
        self._network.send_request(exchange, connect_timeout_s)
        try:
            return await exchange.outcome
        except asyncio.CancelledError:
            self._network.leave(exchange)
            raise
        finally:
            outgoing.pop(exchange.number, None)

    async def call(
        self,
        method: str,
        address: Address,
        headers: Headers,
        body: bytes,
        connect_timeout_s: float,
        read_timeout_s: float,
    ) -> Answer:
        """Send one request and wait for its answer, without any of httpx's objects.

        Building them would cost more than the rest of the way, which is the same, with the same
        places to crash at. Raises what ``handle_async_request`` raises.
        """
        if self._incarnation is not None:
            self._incarnation.check_alive()
        exchange_now = partial(
            self._call, method, address, headers, body, connect_timeout_s, read_timeout_s
        )
        if self._crash_points is None:
            return await exchange_now()
        points = self._crash_points.passing("request", address.target.partition("?")[0])
        await self._crash_points.reach(points, "before")
        try:
            answer = await exchange_now()
        except httpx.TransportError:
            await self._crash_points.reach(points, "after")
            raise
        await self._crash_points.reach(points, "after")
        return answer

    async def _call(
        self,
        method: str,
        address: Address,
        headers: Headers,
        body: bytes,
        connect_timeout_s: float,
        read_timeout_s: float,
    ) -> Answer:
        host, port, target, scheme = address
        key = f"{self._source}>{host} {method} {blanked(target.partition('?')[0])}"
        exchange = self._exchange_to(
            host, port, scheme, method, target, headers, body, key, read_timeout_s
        )
        outcome = await self._outcome_of(exchange, connect_timeout_s)
        if isinstance(outcome, Answer):
            return outcome
        self._note_failure(exchange, outcome)
        try:
            raise outcome
        finally:
            # The error holds this frame: if that held it too, only a collector could free both.
            del outcome, exchange

    def _open(self, request: httpx.Request, body: bytes, read_timeout_s: float | None) -> Exchange:
        url = request.url
        return self._exchange_to(
            url.host,
            url.port or (443 if url.scheme == "https" else 80),
            url.scheme,
            request.method,
            url.raw_path.decode("ascii"),
            [(name.lower(), value) for name, value in request.headers.raw],
            body,
            f"{self._source}>{url.host} {self._network.message_key(request)}",
            read_timeout_s,
        )

    def _exchange_to(
        self,
        host: str,
        port: int,
        scheme: str,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        key: str,
        read_timeout_s: float | None,
    ) -> Exchange:
        network = self._network
        number, key = network.next_number(key)
        return Exchange(
            number=number,
            source=self._source,
            destination=host,
            method=method,
            target=target,
            headers=headers,
            body=body,
            key=key,
            client=(network.address_of(self._source), 40_000 + number % 20_000),
            server=(network.address_of(host), port),
            scheme=scheme,
            read_timeout_s=read_timeout_s,
            outcome=network.loop.create_future(),
        )

    def _note_failure(self, exchange: Exchange, problem: httpx.TransportError) -> None:
        error = type(problem).__name__
        self._network.trace.record("request_failed", id=exchange.number, error=error)

    def _response(
        self, exchange: Exchange, request: httpx.Request, outcome: Outcome
    ) -> httpx.Response:
        if not isinstance(outcome, Answer):
            outcome.request = request
            self._note_failure(exchange, outcome)
            try:
                raise outcome
            finally:
                del outcome, exchange
        response = httpx.Response(
            outcome.status,
            headers=outcome.headers,
            stream=outcome.rest or httpx.ByteStream(outcome.body),
            request=request,
            extensions=dict(_HTTP_1_1),
        )
        if outcome.rest is None and "content-encoding" not in response.headers:
            # Reading a stream of one known chunk would cost a sixth of the whole request.
            response._content = outcome.body
            response.is_closed = response.is_stream_consumed = True
        return response
