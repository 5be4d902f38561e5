"""pyreqwest behind httpx's transport, with nothing in between that a webhook does not need.

pyreqwest's own adapter costs as much again as the call itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from pyreqwest import exceptions
from pyreqwest.bytes import Bytes
from pyreqwest.client import ClientBuilder
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from psp_sim.plain_lines import PlainLines, plain_target
from psp_sim.posting_transport import Posted, PostingTransport

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


class DirectTransport(PostingTransport):
    """Neither follows redirects nor asks a proxy: both would connect elsewhere.

    Args:
        connect_timeout_s: how long connecting may take. How long the head of an answer, and each
            further part of it, may take is said by the request's own limit for reading
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
        self._pinned = pin[1] if pin is not None else None
        self._lines = PlainLines(connect_timeout_s)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; return once the head of the answer is there. Raises httpx.TransportError."""
        with _told_in_httpx_words(request):
            sent = self._built(request)
        read_timeout_s = request.extensions.get("timeout", {}).get("read")
        answer = None
        try:
            # Not by pyreqwest's own limit, which takes an answer that stays away for a failed
            # connect.
            with _no_cancellation_lost(), _told_in_httpx_words(request):
                async with asyncio.timeout(read_timeout_s):
                    answer = await sent.__aenter__()
        except asyncio.CancelledError:
            if answer is not None:
                await sent.__aexit__(None, None, None)
            raise
        body = _Body(sent, answer, read_timeout_s)
        return httpx.Response(answer.status, headers=_readable_headers(answer), stream=body)

    def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Coroutine[Any, Any, Posted]:
        """Send and read so much of the answer. Raises TimeoutError or httpx.TransportError."""
        target = plain_target(url, self._pinned)
        if target is None:
            return self._post_any(url, headers, body, timeout_s, answer_bytes_max)
        return self._lines.post(
            target, headers, body, timeout_s=timeout_s, answer_bytes_max=answer_bytes_max
        )

    async def _post_any(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Posted:
        with _told_in_httpx_words():
            sent = self._client.post(url).headers(headers).body_bytes(body).build_streamed()
        try:
            with _no_cancellation_lost():
                async with asyncio.timeout(timeout_s):
                    answer = await sent.__aenter__()
                    try:
                        read = await _read_some(answer, answer_bytes_max)
                    finally:
                        await sent.__aexit__(None, None, None)
        except exceptions.PyreqwestError as problem:
            raise _meaning(problem)(str(problem)) from problem
        return Posted(answer.status, read, _header(answer, "retry-after"))

    def _built(self, request: httpx.Request) -> StreamRequest:
        builder = self._client.request(request.method, str(request.url))
        builder = builder.headers(request.headers.multi_items())
        try:
            builder = builder.body_bytes(request.content)
        except httpx.RequestNotRead:
            builder = builder.body_stream(request.stream)
        return builder.build_streamed()

    def close_idle(self) -> None:
        """Close what nobody uses; the rest ends with the last reference to this transport."""
        self._lines.close_idle()

    async def aclose(self) -> None:
        """Close every connection."""
        self._lines.close()
        await self._client.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, sent: StreamRequest, answer: Response, read_timeout_s: float | None) -> None:
        self._sent = sent
        self._answer = answer
        self._read_timeout_s = read_timeout_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._next_chunk()) is not None:
            yield bytes(chunk)

    async def _next_chunk(self) -> Bytes | None:
        with _no_cancellation_lost(), _told_in_httpx_words():
            async with asyncio.timeout(self._read_timeout_s):
                return await self._answer.body_reader.read()

    async def aclose(self) -> None:
        await self._sent.__aexit__(None, None, None)


async def _read_some(answer: Response, bytes_max: int) -> bytes:
    read = b""
    while len(read) < bytes_max:
        chunk = await answer.body_reader.read(bytes_max - len(read))
        if chunk is None:
            break
        read += bytes(chunk)
    return read


def _readable_headers(answer: Response) -> list[tuple[str, str]]:
    """Return the headers of an answer, without those that are no text: nobody here needs them."""
    try:
        return list(answer.headers.items())
    except ValueError:
        found = ((name, _header(answer, name)) for name in answer.headers.keys())  # noqa: SIM118
        return [(name, text) for name, text in found if text is not None]


def _header(answer: Response, name: str) -> str | None:
    try:
        return answer.get_header(name)
    except ValueError:
        return None


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


@contextmanager
def _no_cancellation_lost() -> Iterator[None]:
    """Raise CancelledError if this task was cancelled meanwhile and does not know it.

    pyreqwest that has its answer, or its failure, at the moment of a cancellation tells of that
    and forgets the cancellation (seen with 0.15); whoever waits for the task would wait for ever.
    """
    before = _cancellations()
    try:
        yield
    except Exception as problem:
        if _cancellations() > before:
            raise asyncio.CancelledError from problem
        raise
    if _cancellations() > before:
        raise asyncio.CancelledError


@contextmanager
def _told_in_httpx_words(request: httpx.Request | None = None) -> Iterator[None]:
    try:
        yield
    except exceptions.PyreqwestError as problem:
        raise _meaning(problem)(str(problem), request=request) from problem
    except TimeoutError as problem:
        raise httpx.ReadTimeout("no answer came in time", request=request) from problem
    except ValueError as problem:
        raise httpx.LocalProtocolError(str(problem), request=request) from problem


def _meaning(problem: exceptions.PyreqwestError) -> type[httpx.RequestError]:
    return next(meaning for kind, meaning in _MEANINGS if isinstance(problem, kind))
