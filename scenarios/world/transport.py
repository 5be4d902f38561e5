"""The httpx transport of one participant: requests in, answers or httpx's own exceptions out."""

from __future__ import annotations

import asyncio

import httpx

from scenarios.world.crash_points import CrashPoints
from scenarios.world.exchange import Answer, Exchange, Outcome
from scenarios.world.incarnation import Incarnation
from scenarios.world.network import Network

_HTTP_1_1 = {"http_version": b"HTTP/1.1"}


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
        outgoing = self._incarnation.outgoing if self._incarnation else {}
        outgoing[exchange.number] = exchange
        self._network.send_request(exchange, timeouts.get("connect"))
        try:
            outcome = await exchange.outcome
        except asyncio.CancelledError:
            self._network.leave(exchange)
            raise
        finally:
            outgoing.pop(exchange.number, None)
        return self._response(exchange, request, outcome)

    def _open(self, request: httpx.Request, body: bytes, read_timeout_s: float | None) -> Exchange:
        network, url = self._network, request.url
        key = f"{self._source}>{url.host} {network.message_key(request)}"
        number, key = network.next_number(key)
        return Exchange(
            number=number,
            source=self._source,
            destination=url.host,
            method=request.method,
            target=url.raw_path.decode("ascii"),
            headers=[(name.lower(), value) for name, value in request.headers.raw],
            body=body,
            key=key,
            client=(network.address_of(self._source), 40_000 + number % 20_000),
            server=(
                network.address_of(url.host),
                url.port or (443 if url.scheme == "https" else 80),
            ),
            scheme=url.scheme,
            read_timeout_s=read_timeout_s,
            outcome=network.loop.create_future(),
        )

    def _response(
        self, exchange: Exchange, request: httpx.Request, outcome: Outcome
    ) -> httpx.Response:
        if not isinstance(outcome, Answer):
            outcome.request = request
            error = type(outcome).__name__
            self._network.trace.record("request_failed", id=exchange.number, error=error)
            raise outcome
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
