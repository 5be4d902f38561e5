"""Exchanges end in time, whatever the transport does."""

import asyncio

import httpx
import pytest

from shop.plain_call import exchange
from shop.psp_client import PspClient


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
    started = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await exchange(transport, "GET", "http://psp/", {}, timeout_s=0.03)
    assert asyncio.get_running_loop().time() - started < 30
    timeouts = transport.seen.extensions["timeout"]
    assert timeouts == {"connect": 0.03, "read": 0.03, "write": 0.03, "pool": 0.03}


def test_a_stream_is_asked_for_from_the_beginning_until_an_event_was_seen():
    """One that begins "now" leaves out what happened before a first connection broke off."""
    client = PspClient(Dripping(), base_url="http://psp", key="sk", timeout_s=1.0)
    first, later = client.event_stream_request(None), client.event_stream_request("evt_1")
    assert (first.url.query, first.headers.get("last-event-id")) == (b"after=0", None)
    assert (later.url.query, later.headers["last-event-id"]) == (b"", "evt_1")
