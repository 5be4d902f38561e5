"""pyreqwest behind httpx's transport, with nothing in between that a webhook does not need.

pyreqwest's own adapter costs as much again as the call itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
from pyreqwest import exceptions
from pyreqwest.client import ClientBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

# The first that fits counts, so that the narrower ones come before those that they belong to.
_MEANINGS: tuple[tuple[type[exceptions.PyreqwestError], type[httpx.RequestError]], ...] = (
    (exceptions.ConnectTimeoutError, httpx.ConnectTimeout),
    (exceptions.RequestTimeoutError, httpx.ReadTimeout),
    (exceptions.ConnectError, httpx.ConnectError),
    (exceptions.WriteError, httpx.WriteError),
    (exceptions.ReadError, httpx.ReadError),
    (exceptions.DecodeError, httpx.DecodingError),
    (exceptions.PyreqwestError, httpx.NetworkError),
)


class DirectTransport(httpx.AsyncBaseTransport):
    """Neither follows redirects nor asks a proxy: both would connect elsewhere.

    Args:
        connect_timeout_s: how long connecting may take; limits in requests are the caller's affair
        pin: a host's name and the only address that it is to have
    """

    def __init__(
        self, connect_timeout_s: float | None = None, pin: tuple[str, str] | None = None
    ) -> None:
        builder = ClientBuilder().follow_redirects(False).no_proxy().max_connections(None)
        if connect_timeout_s is not None:
            builder = builder.connect_timeout(timedelta(seconds=connect_timeout_s))
        if pin is not None:
            # Port 0 leaves the port to the URL.
            builder = builder.resolve(*pin, 0)
        self._client = builder.build()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; return once the head of the answer is there. Raises httpx.TransportError."""
        builder = self._client.request(request.method, str(request.url))
        builder = builder.headers(request.headers.multi_items())
        try:
            builder = builder.body_bytes(request.content)
        except httpx.RequestNotRead:
            builder = builder.body_stream(request.stream)
        sent = builder.build_streamed()
        try:
            answer = await sent.__aenter__()
        except exceptions.PyreqwestError as problem:
            raise _meaning(problem)(str(problem), request=request) from problem
        headers = list(answer.headers.items())
        return httpx.Response(answer.status, headers=headers, stream=_Body(sent, answer))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, sent: StreamRequest, answer: Response) -> None:
        self._sent = sent
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._answer.body_reader
        try:
            while (chunk := await reader.read()) is not None:
                yield bytes(chunk)
        except exceptions.PyreqwestError as problem:
            raise _meaning(problem)(str(problem)) from problem

    async def aclose(self) -> None:
        await self._sent.__aexit__(None, None, None)


def _meaning(problem: exceptions.PyreqwestError) -> type[httpx.RequestError]:
    return next(meaning for kind, meaning in _MEANINGS if isinstance(problem, kind))
