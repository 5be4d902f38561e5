"""Exchanges end in time, whatever the transport does."""

import asyncio

import httpx
import pytest

from shop.psp_client import exchange


class Endless(httpx.AsyncByteStream):
    async def __aiter__(self):
        while True:
            await asyncio.sleep(0.005)
            yield b" "


class Dripping(httpx.AsyncBaseTransport):
    """Answers at once with a body that never ends, so that no single read takes long."""

    def __init__(self):
        self.seen = None

    async def handle_async_request(self, request):
        self.seen = request
        return httpx.Response(200, stream=Endless())


async def test_an_answer_that_never_ends_is_given_up_in_time():
    transport = Dripping()
    request = httpx.Request("GET", "http://psp/")
    started = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await exchange(transport, request, 0.03)
    assert asyncio.get_running_loop().time() - started < 1
    timeouts = transport.seen.extensions["timeout"]
    assert timeouts == {"connect": 0.03, "read": 0.03, "write": 0.03, "pool": 0.03}
