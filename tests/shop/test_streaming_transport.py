"""Over a real connection, each event arrives when it is sent."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import httpx
import pytest
from pyreqwest.compatibility.httpx import HttpxTransport

from shop.streaming_transport import StreamingTransport

pytestmark = pytest.mark.live
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def piece(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


@asynccontextmanager
async def stream_from(*steps):
    """A response to a server that sends these, waiting for ``go`` before each but the first."""
    go = asyncio.Semaphore(0)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        for number, step in enumerate(steps):
            if number:
                await go.acquire()
            writer.write(step)
            await writer.drain()
        await go.acquire()
        writer.close()

    transport = StreamingTransport()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, asyncio.timeout(60):
        port = server.sockets[0].getsockname()[1]
        request = httpx.Request(
            "GET", f"http://127.0.0.1:{port}/", headers={"accept": "text/event-stream"}
        )
        response = await transport.handle_async_request(request)
        try:
            yield response.aiter_raw(), go
        finally:
            go.release()
            await response.aclose()
            await transport.aclose()


async def test_each_piece_arrives_when_it_is_sent():
    async with stream_from(piece(b"data: 1\n\n"), piece(b"data: 2\n\n")) as (pieces, go):
        assert await anext(pieces) == b"data: 1\n\n"
        go.release()
        assert await anext(pieces) == b"data: 2\n\n"


async def test_a_connection_that_breaks_off_is_an_httpx_error():
    async with stream_from(piece(b"data: 1\n\n")) as (pieces, go):
        assert await anext(pieces) == b"data: 1\n\n"
        go.release()
        with pytest.raises(httpx.ReadError):
            await anext(pieces)


async def wait_and_forget(failure):
    """Have an outcome at the moment of the cancellation, as pyreqwest can."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(300)
    if failure is not None:
        raise failure


class ForgetfulBody(httpx.AsyncByteStream):
    def __init__(self, failure):
        self.failure = failure

    async def __aiter__(self):
        await wait_and_forget(self.failure)
        yield b"piece"


@pytest.mark.parametrize("failure", [None, httpx.ConnectError("refused")])
@pytest.mark.parametrize("where", ["head", "body"])
async def test_a_cancellation_that_comes_with_the_outcome_is_not_lost(monkeypatch, where, failure):
    async def answer(_, __):
        if where == "head":
            await wait_and_forget(failure)
        return httpx.Response(200, stream=ForgetfulBody(failure))

    monkeypatch.setattr(HttpxTransport, "handle_async_request", answer)
    transport = StreamingTransport()

    async def read():
        response = await transport.handle_async_request(httpx.Request("GET", "http://psp/"))
        return await response.aread()

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    await transport.aclose()
