"""The simulated network for both services: httpx's way, and the plain calls that each may make.

What happens in the world is the same on both ways; only the objects around it are not built.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import httpx

from psp_sim.posting_transport import Posted, PostingTransport
from scenarios.world.exchange import Answer as Arrived
from scenarios.world.exchange import ArrivingBody, Headers
from scenarios.world.transport import Address, SimulatedTransport
from shop.plain_call import Answer, CallingTransport


class PlainCalls(PostingTransport, CallingTransport):
    """A host's way to the others. ``connect_timeout_s`` bounds the connecting of its webhooks."""

    def __init__(self, transport: httpx.AsyncBaseTransport, connect_timeout_s: float) -> None:
        assert isinstance(transport, SimulatedTransport), "hosts of a world have no other"
        self._transport = transport
        self._connect_timeout_s = connect_timeout_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and wait for its answer."""
        return await self._transport.handle_async_request(request)

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Posted:
        """Send a webhook; read so much of the answer."""
        connect_s = min(self._connect_timeout_s, timeout_s)
        arrived, text = await self._call(
            "POST", url, headers, body, connect_s, timeout_s, answer_bytes_max
        )
        return Posted(arrived.status, text, _named(arrived.headers).get("retry-after"))

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float
    ) -> Answer:
        """Send a question and read the whole answer."""
        arrived, text = await self._call(method, url, headers, body, timeout_s, timeout_s, None)
        return Answer(arrived.status, _named(arrived.headers), text)

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        connect_timeout_s: float,
        timeout_s: float,
        bytes_max: int | None,
    ) -> tuple[Arrived, bytes]:
        target = _target_of(url)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        sent = _sent(target.netloc, method, headers, body)
        arrived = await self._transport.call(
            method, target.address, sent, body, connect_timeout_s, timeout_s
        )
        if arrived.rest is None:
            return arrived, arrived.body[:bytes_max]
        async with asyncio.timeout_at(ends_at):
            return arrived, await _read(arrived.rest, bytes_max)


class _Target(NamedTuple):
    address: Address
    netloc: bytes


@lru_cache(maxsize=1000)
def _target_of(url: str) -> _Target:
    """Take a URL apart, once for all of its calls. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    target = parsed.raw_path.decode("ascii")
    return _Target(Address(parsed.host, port, target, parsed.scheme), parsed.netloc)


def _sent(netloc: bytes, method: str, headers: Mapping[str, str], body: bytes) -> Headers:
    """Return the headers that httpx would send."""
    sent = [(b"host", netloc)]
    sent += [(name.lower().encode("ascii"), text.encode("ascii")) for name, text in headers.items()]
    if body or method in ("POST", "PUT", "PATCH"):
        sent.append((b"content-length", b"%d" % len(body)))
    return sent


def _named(headers: Headers) -> dict[str, str]:
    return {name.decode("latin-1"): text.decode("latin-1") for name, text in headers}


async def _read(rest: ArrivingBody, bytes_max: int | None) -> bytes:
    read = bytearray()
    try:
        async for chunk in rest:
            read += chunk
            if bytes_max is not None and len(read) >= bytes_max:
                break
    finally:
        await rest.aclose()
    return bytes(read)
