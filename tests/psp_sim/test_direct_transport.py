"""A cancellation that comes together with the outcome is not lost, whichever way was taken."""

import asyncio
import contextlib

import httpx
import pytest
from pyreqwest.exceptions import ConnectError

from psp_sim.direct_transport import DirectTransport

LIMITS = {"timeout_s": 60, "answer_bytes_max": 100}


class Forgetful:
    """A client that has its outcome at the moment of the cancellation, as pyreqwest can.

    ``where`` is what it is waiting for at that moment: the head of the answer, or its body.
    ``failure`` is raised then; None goes on to an answer.
    """

    def __init__(self, where, failure=None):
        self.failure = failure
        self.answer = Answer(self)
        self.where = where
        self.waits = asyncio.Event()
        self.is_left = False

    def __getattr__(self, _):
        # Every step of building a request.
        return lambda *_: self

    async def __aenter__(self):
        await self.wait_and_forget("head")
        return self.answer

    async def __aexit__(self, *_):
        self.is_left = True

    async def wait_and_forget(self, where):
        if self.where != where:
            return
        self.waits.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(300)
        if self.failure is not None:
            raise self.failure


class Answer:
    status = 200

    def __init__(self, client):
        self.client, self.body_reader, self.headers = client, self, {}

    def get_header(self, _):
        return None

    async def read(self, *_):
        await self.client.wait_and_forget("body")


async def plainly(transport):
    # Without TLS it would go over lines that are this program's own.
    await transport.post("https://127.0.0.1:1/", {}, b"{}", **LIMITS)


async def by_request(transport):
    response = await transport.handle_async_request(httpx.Request("POST", "http://127.0.0.1:1/"))
    try:
        await response.aread()
    finally:
        await response.aclose()


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize("call", [plainly, by_request])
async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(call, where):
    transport = DirectTransport()
    await transport.aclose()
    transport._client = client = Forgetful(where)
    task = asyncio.create_task(call(transport))
    await asyncio.wait_for(client.waits.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.is_left


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize("call", [plainly, by_request])
async def test_a_cancellation_that_comes_with_a_failure_is_not_lost(call, where):
    transport = DirectTransport()
    await transport.aclose()
    transport._client = client = Forgetful(where, ConnectError("refused", {"causes": []}))
    task = asyncio.create_task(call(transport))
    await asyncio.wait_for(client.waits.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("call", [plainly, by_request])
async def test_who_was_cancelled_before_may_still_call(call):
    transport = DirectTransport()
    await transport.aclose()
    transport._client = Forgetful("nowhere")

    async def call_in_the_end():
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            await call(transport)
            return "called"

    task = asyncio.create_task(call_in_the_end())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "called"
