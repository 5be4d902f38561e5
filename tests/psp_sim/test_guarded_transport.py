"""The real network's guard: what a name resolves to decides, at the moment of the call."""

import asyncio
import socket

import httpx
import pytest

from psp_sim.guarded_transport import GuardedTransport
from psp_sim.send_webhook import send_webhook
from tests.psp_sim.processes import PATIENCE_S, real_sink
from tests.psp_sim.stand import Reply

pytestmark = pytest.mark.live


def request_to(url, read_timeout_s=PATIENCE_S):
    timeouts = {"connect": PATIENCE_S, "read": read_timeout_s}
    headers = {"webhook-id": "evt_1"}
    return httpx.Request(
        "POST", url, headers=headers, content=b"{}", extensions={"timeout": timeouts}
    )


async def send_request(transport, url, read_timeout_s=PATIENCE_S):
    response = await transport.handle_async_request(request_to(url, read_timeout_s))
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response.status_code


async def send_plainly(transport, url, read_timeout_s=PATIENCE_S):
    limits = {"timeout_s": read_timeout_s, "answer_bytes_max": 4096}
    return (await transport.post(url, {"webhook-id": "evt_1"}, b"{}", **limits)).status


@pytest.fixture(params=[send_request, send_plainly])
def send(request):
    """Both ways over the same wire."""
    return request.param


@pytest.fixture
async def transport():
    guarded = GuardedTransport(allow_public=False)
    yield guarded
    await guarded.aclose()


def resolves(monkeypatch, *addresses):
    """Let every name have these addresses; return how often somebody asked."""
    asked = []

    async def getaddrinfo(host, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_is_called_at_the_address_that_was_checked(transport, send, monkeypatch):
    async with real_sink() as sink:
        port = httpx.URL(sink.url).port
        asked = resolves(monkeypatch, "127.0.0.1")
        # No resolver knows this name: only the pinned address can have been called.
        assert await send(transport, f"http://shop.invalid:{port}/hooks") == 200
        assert sink.calls[0].headers["host"] == f"shop.invalid:{port}"
        assert asked == ["shop.invalid"]


async def test_the_next_address_is_tried_when_one_refuses(transport, send, monkeypatch):
    async with real_sink() as sink:
        resolves(monkeypatch, "127.0.0.9", "127.0.0.1")
        port = httpx.URL(sink.url).port
        assert await send(transport, f"http://shop.invalid:{port}/hooks") == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
async def test_an_answer_that_does_not_come_to_its_end_is_given_up_in_time(transport, send, answer):
    writers = []

    async def hold(reader, writer):
        writers.append(writer)
        await reader.readuntil(b"{}")
        writer.write(answer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/hooks"
        with pytest.raises((httpx.ReadTimeout, TimeoutError)):
            await asyncio.wait_for(send(transport, url, read_timeout_s=0.2), PATIENCE_S)
    for writer in writers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("bad", ["169.254.169.254", "93.184.216.34", "0.0.0.0", "::ffff:7f00:1"])
async def test_a_name_with_one_forbidden_address_is_not_called(transport, send, monkeypatch, bad):
    async with real_sink() as sink:
        resolves(monkeypatch, "127.0.0.1", bad)
        port = httpx.URL(sink.url).port
        with pytest.raises(httpx.ConnectError, match="does not call"):
            await send(transport, f"http://shop.invalid:{port}/hooks")
        assert sink.calls == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"]
)
async def test_a_forbidden_or_odd_address_is_not_called(transport, send, host):
    async with real_sink() as sink:
        port = httpx.URL(sink.url).port
        with pytest.raises((httpx.ConnectError, httpx.InvalidURL)):
            await send(transport, f"http://{host}:{port}/hooks")
        assert sink.calls == []


async def test_a_name_is_looked_up_again_after_a_while(transport, send, monkeypatch):
    monkeypatch.setattr("psp_sim.guarded_transport.LOOKUP_LASTS_S", 0.0)
    async with real_sink() as sink:
        port = httpx.URL(sink.url).port
        resolves(monkeypatch, "127.0.0.1")
        assert await send(transport, f"http://shop.invalid:{port}/hooks") == 200
        resolves(monkeypatch, "169.254.169.254")
        with pytest.raises(httpx.ConnectError, match="does not call"):
            await send(transport, f"http://shop.invalid:{port}/hooks")
        assert len(sink.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_nobody_goes_there(transport, send, status):
    async with real_sink() as sink, real_sink() as other:
        sink.reply = Reply(status, headers={"location": other.url})
        assert await send(transport, sink.url) == status
        assert (len(sink.calls), other.calls) == (1, [])


async def answering(answer):
    """Return a server that says this to whoever calls, and its URL."""

    async def answer_once(reader, writer):
        await reader.readuntil(b"{}")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"


async def test_headers_that_are_no_text_spoil_no_answer(transport, send):
    head = b"HTTP/1.1 200 OK\r\nretry-after: \xff\xfe\r\nx-other: text\r\n"
    server, url = await answering(head + b"content-length: 2\r\n\r\nok")
    async with server:
        assert await send(transport, url) == 200


async def test_of_a_long_answer_only_the_beginning_is_read(transport):
    server, url = await answering(
        b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 90000\r\n\r\n" + b"x" * 90000
    )
    async with server:
        posted = await transport.post(url, {}, b"{}", timeout_s=PATIENCE_S, answer_bytes_max=100)
    assert posted == (503, b"x" * 100, "7")


@pytest.mark.parametrize(
    ("answer", "problem"), [(b"", httpx.NetworkError), (b"HTTP/1.1 2", httpx.NetworkError)]
)
async def test_an_answer_that_breaks_off_is_an_error_of_the_network(
    transport, send, answer, problem
):
    server, url = await answering(answer)
    async with server:
        with pytest.raises(problem):
            await send(transport, url)


async def test_where_nobody_listens_connecting_fails(transport, send):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await send(transport, f"http://127.0.0.1:{port}/hooks")


@pytest.mark.parametrize("trickle_s", [0.0, 0.1])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/hooks", "the provider does not call 169.254.169.254"),
        ("http://0x7f.1/hooks", "'0x7f.1' does not appear to be an IPv4 or IPv6 address"),
        ("http://shop.invalid/hooks", "shop.invalid has no address"),
        ("http://127.0.0.1:{port}/hooks", "connection refused or reset"),
    ],
)
async def test_a_delivery_tells_why_nobody_was_called(
    transport, monkeypatch, url, reason, trickle_s
):
    async def getaddrinfo(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = url.format(port=free.getsockname()[1])
    limits = {"connect_timeout_s": PATIENCE_S, "timeout_s": PATIENCE_S, "trickle_s": trickle_s}
    answer = await send_webhook(transport, url, {}, b"{}", **limits)
    assert (answer.status, answer.error) == (None, reason)
