"""The real network's guard: a request goes to an address that was looked up and checked, no other.

The check belongs here, since only here names have addresses: a name that was harmless when the
endpoint was registered can point anywhere when the webhook leaves (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, TypedDict, TypeVar

import httpx

from psp_sim.direct_transport import DirectTransport
from psp_sim.domain.target_address import Address, is_forbidden, literal_address
from psp_sim.posting_transport import NotCalled, Posted, PostingTransport

PINNED_MAX = 256
LOOKUP_LASTS_S = 5.0

_Answer = TypeVar("_Answer")


class _Limits(TypedDict):
    timeout_s: float
    answer_bytes_max: int


class GuardedTransport(PostingTransport):
    """Resolves, checks, then connects to that very address, under the name's own Host and SNI.

    It neither follows redirects nor asks a proxy: both would connect elsewhere.
    """

    def __init__(self, connect_timeout_s: float | None = None, *, allow_public: bool) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._allow_public = allow_public
        self._for_addresses = DirectTransport(connect_timeout_s)
        # Addresses that were checked: unlike a name, an address stays what it is.
        self._harmless: set[str] = set()
        self._pinned: OrderedDict[tuple[str, Address], DirectTransport] = OrderedDict()
        self._lookups: OrderedDict[str, tuple[float, list[Address]]] = OrderedDict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the first address that accepts the connection. Raises httpx.ConnectError."""
        try:
            return await self._reach(
                request.url.host, lambda way: way.handle_async_request(request)
            )
        except httpx.RequestError as problem:
            problem.request = request
            raise

    def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Coroutine[Any, Any, Posted]:
        """Make a plain call to the first address that accepts the connection."""
        # The text that is called is the one of which the host was checked.
        host, checked_url = _host_and_url(url)
        limits: _Limits = {"timeout_s": timeout_s, "answer_bytes_max": answer_bytes_max}
        if host in self._harmless:
            return self._for_addresses.post(checked_url, headers, body, **limits)
        return self._reach_within(
            timeout_s, host, lambda way: way.post(checked_url, headers, body, **limits)
        )

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in (self._for_addresses, *self._pinned.values()):
            await transport.aclose()

    async def _reach_within(
        self,
        timeout_s: float,
        host: str,
        send: Callable[[DirectTransport], Awaitable[_Answer]],
    ) -> _Answer:
        async with asyncio.timeout(timeout_s):
            return await self._reach(host, send)

    async def _reach(
        self, host: str, send: Callable[[DirectTransport], Awaitable[_Answer]]
    ) -> _Answer:
        """Send over the first way to the host that accepts the connection."""
        if host in self._harmless:
            return await send(self._for_addresses)
        try:
            literal = literal_address(host)
        except ValueError as problem:
            raise NotCalled(str(problem)) from problem
        if literal is not None:
            self._check(literal)
            if len(self._harmless) < PINNED_MAX:
                self._harmless.add(host)
            return await send(self._for_addresses)
        addresses = await self._resolve(host)
        for address in addresses:
            self._check(address)
        for address in addresses[:-1]:
            try:
                return await send(self._pin(host, address))
            except httpx.ConnectError:
                continue
        return await send(self._pin(host, addresses[-1]))

    def _check(self, address: Address) -> None:
        if is_forbidden(address, allow_public=self._allow_public):
            raise NotCalled(f"the provider does not call {address}")

    async def _resolve(self, host: str) -> list[Address]:
        loop = asyncio.get_running_loop()
        looked_up_at, addresses = self._lookups.get(host, (0.0, []))
        if addresses and loop.time() - looked_up_at < LOOKUP_LASTS_S:
            return addresses
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as problem:
            raise NotCalled(f"{host} has no address") from problem
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        self._lookups[host] = (loop.time(), addresses)
        if len(self._lookups) > PINNED_MAX:
            self._lookups.popitem(last=False)
        return addresses

    def _pin(self, host: str, address: Address) -> DirectTransport:
        """Return a transport for which the name has this one address."""
        key = (host, address)
        if key not in self._pinned:
            if len(self._pinned) >= PINNED_MAX:
                # Not wholly closed: a call may still be under way.
                self._pinned.popitem(last=False)[1].close_idle()
            self._pinned[key] = DirectTransport(self._connect_timeout_s, (host, str(address)))
        self._pinned.move_to_end(key)
        return self._pinned[key]


@lru_cache(maxsize=1000)
def _host_and_url(url: str) -> tuple[str, str]:
    """Parse an endpoint's URL once: that is dear. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    return parsed.host, str(parsed)
