"""One HTTP call and its whole answer, over any transport.

Building httpx's objects costs more than the rest of a call, so a transport may also offer a plain
one. Both ways lead over the same wire, and fail in the same ways.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class CallingTransport(httpx.AsyncBaseTransport):
    """What a transport may offer beside httpx's own interface."""

    async def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float
    ) -> Answer:
        """Send and read the whole answer, in ``timeout_s`` all together.

        Raises TimeoutError or httpx.TransportError.
        """
        raise NotImplementedError


async def exchange(
    transport: httpx.AsyncBaseTransport,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    timeout_s: float,
) -> Answer:
    """Send a request straight to the transport and read the whole answer within ``timeout_s``.

    The request's timeouts bound each phase, the outer one all of them together, since a transport
    may add the phases up. Raises httpx.HTTPError or TimeoutError.
    """
    if isinstance(transport, CallingTransport):
        return await transport.call(method, url, headers, body, timeout_s=timeout_s)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    request = httpx.Request(
        method,
        _parsed(url),
        headers=dict(headers),
        content=body or None,
        extensions={"timeout": timeouts},
    )
    async with asyncio.timeout(timeout_s):
        response = await transport.handle_async_request(request)
        try:
            answer = await response.aread()
        finally:
            await response.aclose()
    return Answer(response.status_code, response.headers, answer)


@lru_cache(maxsize=100)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL once: it is the dearest part of making a request, and most come again."""
    return httpx.URL(url)
