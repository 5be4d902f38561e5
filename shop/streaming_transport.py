"""The real way to the provider: requests go out, and event streams come in piece by piece.

The client gathers 64 kB of an answer before it shows any of it, which is right for whole answers,
and means waiting for ever for a stream on which something happens now and then.

Where its answer or its failure comes together with a cancellation, it tells of that and forgets
the cancellation (seen with pyreqwest 0.15); whoever waits for the task would wait for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
from pyreqwest.compatibility.httpx import HttpxTransport
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import RequestBuilder
from pyreqwest.response import ResponseBodyReader


class StreamingTransport(HttpxTransport):
    """Hands on each piece of an event stream as it arrives; everything else as it was."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request. Raises httpx.TransportError."""
        response = None
        try:
            with _no_cancellation_lost():
                response = await super().handle_async_request(request)
        except asyncio.CancelledError:
            if response is not None:
                await response.aclose()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream), "made by an async client"
        if _wants_stream(request):
            reader = response.extensions["pyreqwest_response"].body_reader
            response.stream = _Whole(_Pieces(response.stream, reader))
        else:
            response.stream = _Whole(response.stream)
        return response

    def _map_body(self, builder: RequestBuilder, request: httpx.Request) -> RequestBuilder:
        mapped = super()._map_body(builder, request)
        return mapped.streamed_read_buffer_limit(0) if _wants_stream(request) else mapped


class _Whole(httpx.AsyncByteStream):
    """A body in which no cancellation is lost."""

    def __init__(self, body: httpx.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        while (piece := await _next(pieces)) is not None:
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, whole: httpx.AsyncByteStream, reader: ResponseBodyReader) -> None:
        self._whole = whole
        self._reader = reader

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._reader.read_chunk()) is not None:
                yield bytes(piece)
        except PyreqwestError as problem:
            raise httpx.ReadError(str(problem)) from problem

    async def aclose(self) -> None:
        await self._whole.aclose()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    with _no_cancellation_lost():
        return await anext(pieces, None)


def _wants_stream(request: httpx.Request) -> bool:
    return bool(request.headers.get("accept") == "text/event-stream")


@contextmanager
def _no_cancellation_lost() -> Iterator[None]:
    """Raise CancelledError if this task was cancelled meanwhile and does not know it."""
    before = _cancellations()
    try:
        yield
    except Exception as problem:
        if _cancellations() > before:
            raise asyncio.CancelledError from problem
        raise
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
