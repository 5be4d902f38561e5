"""Calls without TLS: connections are kept while both sides want that; answers are read wholly."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import httpx
import pytest

from psp_sim.plain_lines import PlainLines, plain_target
from psp_sim.posting_transport import Posted

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Server:
    """Gives the next of its answers to each call; None closes the connection instead.

    A number among them is for how many seconds the answer after it stays away.
    """

    def __init__(self, *answers, closes=False):
        self.answers, self.closes = list(answers), closes
        self.connections, self.heads, self.serving = 0, [], []
        self.has_call = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        self.serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while self.answers:
                self.heads.append(await reader.readuntil(b"{}"))
                self.has_call.set()
                answer = self.answers.pop(0)
                if isinstance(answer, float):
                    await asyncio.sleep(answer)
                    answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                if self.closes:
                    break
            await reader.read(0 if self.closes else 1)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def lines_to(server):
    """Give a function that makes a call to the server."""
    lines = PlainLines(30.0)  # a busy machine may stand still
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        target = plain_target(f"http://127.0.0.1:{port}/hooks?of=1#part")

        async def call(headers=None, timeout_s=30, answer_bytes_max=100):
            limits = {"timeout_s": timeout_s, "answer_bytes_max": answer_bytes_max}
            return await lines.post(target, headers or {}, b"{}", **limits)

        yield call
        lines.close()
        await asyncio.gather(*server.serving)


async def test_one_connection_serves_call_after_call():
    server = Server(OK, NO_CONTENT, OK)
    async with lines_to(server) as call:
        assert [await call() for _ in range(3)] == [
            Posted(200, b"ok", None),
            Posted(204, b"", None),
            Posted(200, b"ok", None),
        ]
    assert server.connections == 1


async def test_a_call_is_plain_http():
    server = Server(OK)
    async with lines_to(server) as call:
        await call({"webhook-id": "evt_1"})
    head = server.heads[0].decode()
    assert head.startswith("POST /hooks?of=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert head.endswith("\r\ncontent-length: 2\r\nwebhook-id: evt_1\r\n\r\n{}")


async def test_calls_at_the_same_time_have_connections_of_their_own():
    server = Server(*[OK] * 4)
    async with lines_to(server) as call:
        await asyncio.gather(call(), call())
        await asyncio.gather(call(), call())
    assert server.connections == 2


async def test_a_connection_that_the_server_has_closed_meanwhile_is_not_used():
    server = Server(OK, OK, closes=True)
    async with lines_to(server) as call:
        await call()
        await asyncio.sleep(0.05)
        await call()
    assert server.connections == 2


async def test_a_connection_is_not_kept_where_the_server_does_not_want_it():
    leaving = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    server = Server(leaving, OK)
    async with lines_to(server) as call:
        assert await call() == await call() == Posted(200, b"ok", None)
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n" + OK,
    ],
)
async def test_an_answer_comes_in_more_than_one_form(answer):
    server = Server(answer, OK)
    async with lines_to(server) as call:
        assert await call() == await call() == Posted(200, b"ok", None)
    assert server.connections == 1


async def test_an_answer_without_a_length_ends_with_the_connection():
    server = Server(b"HTTP/1.1 200 OK\r\n\r\nok", closes=True)
    async with lines_to(server) as call:
        assert await call() == Posted(200, b"ok", None)


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"HTTP/1.1 200 OK\r\n"]
)
async def test_half_an_answer_is_none(answer):
    server = Server(answer, closes=True)
    async with lines_to(server) as call:
        with pytest.raises(httpx.ReadError):
            await call()


async def test_what_is_no_http_is_no_answer():
    async with lines_to(Server(b"SSH-2.0-OpenSSH_9.6\r\n")) as call:
        with pytest.raises(httpx.RemoteProtocolError):
            await call()


async def test_of_a_long_answer_only_the_beginning_is_read_and_the_connection_is_left():
    server = Server(b"HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n" + b"x" * 150, OK)
    async with lines_to(server) as call:
        assert await call() == Posted(200, b"x" * 100, None)
        assert await call() == Posted(200, b"ok", None)
    assert server.connections == 2


async def test_a_connection_on_which_no_answer_came_in_time_is_left():
    server = Server(b"", OK)
    async with lines_to(server) as call:
        with pytest.raises(TimeoutError):
            await call(timeout_s=0.05)
        assert await call() == Posted(200, b"ok", None)
    assert server.connections == 2


async def test_the_time_of_a_call_is_not_that_of_the_one_before_it():
    server = Server(OK, 0.5, NO_CONTENT)
    async with lines_to(server) as call:
        assert await call(timeout_s=0.2) == Posted(200, b"ok", None)
        assert await call(timeout_s=30) == Posted(204, b"", None)
    assert server.connections == 1


async def test_a_call_with_less_time_than_the_one_before_it_is_given_up_in_time():
    server = Server(OK, b"")
    async with lines_to(server) as call, asyncio.timeout(20):
        assert await call(timeout_s=3600) == Posted(200, b"ok", None)
        with pytest.raises(TimeoutError):
            await call(timeout_s=0.05)


async def test_who_is_cancelled_leaves_the_connection():
    server = Server(b"", OK)
    async with lines_to(server) as call:
        task = asyncio.create_task(call())
        await asyncio.wait_for(server.has_call.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await call() == Posted(200, b"ok", None)
    assert server.connections == 2


@pytest.mark.parametrize("text", ["a\r\nx-forged: 1", "a\nb", "a\rb", "\N{EURO SIGN}"])
async def test_a_header_is_one_line_of_text(text):
    server = Server(OK)
    async with lines_to(server) as call:
        with pytest.raises(httpx.LocalProtocolError):
            await call({"x-name": text})
    assert server.heads == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "http://localhost/", "http://user:word@127.0.0.1/"),
        *("http://2130706433.example/", "http://127.1/", "http://[fe80::1%25eth0]/"),
    ],
)
def test_a_call_that_needs_more_is_for_another_client(url):
    assert plain_target(url) is None


def test_a_name_is_called_at_its_pinned_address_under_its_own_name():
    target = plain_target("http://shop.example/hooks", "10.0.0.1")
    assert target == ("10.0.0.1", 80, "POST /hooks HTTP/1.1\r\nhost: shop.example\r\n")


def test_an_address_is_connected_to_as_it_was_checked():
    assert plain_target("http://127.0.0.1.:8081/")[:2] == ("127.0.0.1", 8081)
    assert plain_target("http://[::1]:8081/")[:2] == ("::1", 8081)
