"""Limits of both services to what strangers may send: how large a head, and how slow a request."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn

from psp_sim import http_arrival as of_the_provider
from psp_sim.server import AbortableProtocol, bind
from shop import http_arrival as of_the_shop
from shop.server import ShopProtocol

pytestmark = pytest.mark.live
PATIENCE_S = 60.0
BOTH = {"psp_sim": (of_the_provider, AbortableProtocol), "shop": (of_the_shop, ShopProtocol)}
HEAD = b"POST /somewhere HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n%b\r\n"
SOON_S = 0.2


class Application:
    """Reads each request to its end, then answers when ``answering`` is set."""

    def __init__(self):
        self.bodies, self.broken_off = [], 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.broken_off += 1
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.bodies.append(body)
        await self.answering.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(params=BOTH)
def service(request):
    return BOTH[request.param]


@pytest.fixture
async def served(service):
    application = Application()
    config = uvicorn.Config(
        application, http=service[1], ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    with bind("127.0.0.1", 0) as bound:
        bound.listen()
        task = asyncio.create_task(server._serve(sockets=[bound]))
        yield application, bound.getsockname()[1]
        server.should_exit = True
        await task


@pytest.fixture
def impatient(service, monkeypatch):
    monkeypatch.setattr(service[0], "ARRIVAL_S", SOON_S)


@asynccontextmanager
async def connection_to(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        yield reader, writer
    writer.close()


async def said(port, *pieces):
    """Everything that the service answers until it closes the connection."""
    async with connection_to(port) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        return await reader.read()


def refusal(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert {b"content-type: application/problem+json", b"connection: close"} <= set(lines)
    told = json.loads(body)
    assert lines[0].startswith(b"HTTP/1.1 %d " % told["status"])
    return told["status"], told["code"], told["definite"]


TOO_LARGE = (431, "head_too_large", True)
TOO_SLOW = (408, "request_too_slow", False)
LARGE = b"x-large: " + b"a" * 33_000 + b"\r\n"
CLOSE = b"connection: close\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD % (0, LARGE)],
        [HEAD[:20], HEAD[20:] % (0, LARGE)],
        [b"GET /" + b"a" * 33_000 + b" HTTP/1.1\r\nhost: here\r\n\r\n"],
        [HEAD[:40], *[b"x-many: " + b"a" * 1000 + b"\r\n"] * 40],
    ],
    ids=["at once", "in pieces", "target", "without an end"],
)
async def test_a_head_that_is_too_large_is_refused_and_nothing_is_done(served, pieces):
    application, port = served
    assert refusal(await said(port, *pieces)) == TOO_LARGE
    assert application.bodies == []


async def test_a_client_that_sends_on_still_gets_the_reason(served):
    _, port = served
    answer = await said(port, HEAD % (0, b"x-large: " + b"a" * 8_000_000 + b"\r\n"))
    assert refusal(answer) == TOO_LARGE


@pytest.mark.parametrize("first", [b"", HEAD % (0, b"")], ids=["first", "second"])
async def test_a_large_body_is_no_large_head(served, first):
    application, port = served
    body = b"b" * 60_000
    answer = await said(port, first + HEAD % (len(body), CLOSE) + body)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert application.bodies[-1] == body


@pytest.mark.parametrize("sent", [b"P", HEAD[:40]])
async def test_a_head_that_does_not_end_in_time_is_refused(served, impatient, sent):
    _, port = served
    assert refusal(await said(port, sent)) == TOO_SLOW


async def test_a_connection_on_which_nothing_comes_is_closed(served, impatient):
    _, port = served
    assert await said(port) == b""


@pytest.mark.parametrize("service", [BOTH["psp_sim"]], ids=["psp_sim"])
async def test_a_body_that_does_not_end_in_time_is_refused(served, impatient):
    """The shop's routes have limits of their own for that."""
    application, port = served
    assert refusal(await said(port, HEAD % (9, b""), b"{")) == TOO_SLOW
    assert (application.bodies, application.broken_off) == ([], 1)


async def test_an_answer_may_take_longer_than_a_request(served, impatient):
    application, port = served
    application.answering.clear()
    async with connection_to(port) as (reader, writer):
        # The second one begins while the first is at work, and never ends.
        writer.write(HEAD % (0, b"") + HEAD[:40])
        await asyncio.sleep(4 * SOON_S)
        application.answering.set()
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert refusal(answer[answer.index(b"HTTP/1.1 408 ") :]) == TOO_SLOW
