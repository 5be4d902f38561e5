"""HTTP/1.1 without TLS, for one plain call at a time over connections that are kept.

Between this process and a webhook on the next port there is nothing to negotiate. A client that can
do everything, with a thread of its own, took twice the processor time for such a call.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast

import httptools
import httpx

from psp_sim.bell import TIMER_RESOLUTION_S
from psp_sim.domain.target_address import literal_address
from psp_sim.posting_transport import Posted

IDLE_S_MAX = 60.0
# A server may have left in the time since; one that answered just now has not.
FRESH_S = 0.02


class Target(NamedTuple):
    """Where a URL leads: the address to connect to, and the beginning of every request."""

    address: str
    port: int
    start: str


@lru_cache(maxsize=1000)
def plain_target(url: str, pinned: str | None = None) -> Target | None:
    """Return where a plain call goes; None for a URL that needs more than this file can do.

    A name is never looked up here: it needs a ``pinned`` address. Raises httpx.InvalidURL.
    """
    parsed = httpx.URL(url)
    if parsed.scheme != "http" or parsed.userinfo:
        return None
    try:
        address = pinned or literal_address(parsed.host)
    except ValueError:
        return None
    if address is None:
        return None
    # httpx leaves out a port that the scheme has by itself, in the Host header as well.
    host = parsed.netloc.decode("ascii")
    start = f"POST {parsed.raw_path.decode('ascii')} HTTP/1.1\r\nhost: {host}\r\n"
    return Target(str(address), parsed.port or 80, start)


class PlainLines:
    """The connections to all targets; who calls takes the one that was used last, or makes one."""

    def __init__(self, connect_timeout_s: float | None) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._idle: dict[tuple[str, int], deque[_Line]] = {}
        self._lines: set[_Line] = set()

    async def post(
        self,
        target: Target,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Posted:
        """Send and read so much of the answer. Raises TimeoutError or httpx.TransportError."""
        request = _request(target, headers, body)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        line = self._kept(target, loop.time())
        if line is None:
            async with asyncio.timeout_at(ends_at):
                line = await self._connect(target, loop)
        posted = await line.ask(request, answer_bytes_max, ends_at)
        if line.may_be_kept():
            self._keep(target, line, loop.time())
        return posted

    def close(self) -> None:
        """Close every connection; who waits for an answer gets none."""
        for line in list(self._lines):
            line.close()

    def close_idle(self) -> None:
        """Close the connections that no call is on."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _kept(self, target: Target, now: float) -> _Line | None:
        idle = self._idle.get((target.address, target.port))
        while idle:
            line = idle.pop()
            if line.is_open and (now - line.idle_since < FRESH_S or line.is_quiet()):
                return line
            line.close()
        return None

    def _keep(self, target: Target, line: _Line, now: float) -> None:
        line.idle_since = now
        idle = self._idle.setdefault((target.address, target.port), deque())
        idle.append(line)
        while now - idle[0].idle_since > IDLE_S_MAX:
            idle.popleft().close()

    async def _connect(self, target: Target, loop: asyncio.AbstractEventLoop) -> _Line:
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, line = await loop.create_connection(
                    lambda: _Line(self._lines), target.address, target.port
                )
        except TimeoutError as problem:
            raise httpx.ConnectTimeout("no connection came about in time") from problem
        except OSError as problem:
            raise httpx.ConnectError(str(problem)) from problem
        return line


class _Line(asyncio.Protocol):
    """One connection, with at most one call on it at a time."""

    def __init__(self, lines: set[_Line]) -> None:
        self._lines = lines
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[Posted] | None = None
        self._loop = asyncio.get_running_loop()
        self._retry_after: bytes | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._ends_at = 0.0
        self.idle_since = 0.0
        self.is_open = True
        self._begin_answer()

    async def ask(self, request: bytes, bytes_max: int, ends_at: float) -> Posted:
        """Make a call; on anything but a whole answer the connection is of no more use."""
        if not self.is_open:
            raise httpx.ReadError("the connection is closed")
        self._bytes_max = bytes_max
        self._begin_answer()
        self._answered = self._loop.create_future()
        self._ends_at = ends_at
        if self._watch is None or self._watch.when() > ends_at:
            self._watch_until(ends_at)
        try:
            self._transport.write(request)
            return await self._answered
        except BaseException:
            self.close()
            raise
        finally:
            self._answered = None

    def may_be_kept(self) -> bool:
        """Close a connection that must not serve another call; tell whether it may."""
        if self.is_open and self._is_reusable and not self._transport.get_write_buffer_size():
            return True
        self.close()
        return False

    def is_quiet(self) -> bool:
        """Tell whether nothing has come, not even the end."""
        watch = select.poll()
        watch.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not watch.poll(0)

    def close(self) -> None:
        """Let go of the connection, whatever is under way on it."""
        self.is_open = False
        self._end_watch()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._lines.add(self)

    def data_received(self, data: bytes) -> None:
        if self._answered is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as problem:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP/1.1: {problem}"))

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._end_watch()
        self._lines.discard(self)
        if self._has_head and not self._is_framed and error is None:
            self._finish()
        self._fail(httpx.ReadError(str(error or "the connection was closed before the answer")))

    # What follows is called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"retry-after":
            self._retry_after = value
        elif name in (b"content-length", b"transfer-encoding"):
            self._is_framed = True

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) >= self._bytes_max:
            self._finish()

    def on_message_complete(self) -> None:
        if 100 <= self._parser.get_status_code() < 200:
            self._begin_answer()
            return
        # Not asked later: the parser knows it only here.
        self._is_reusable = self._parser.should_keep_alive()
        self._finish()

    def _begin_answer(self) -> None:
        self._body = b""
        self._retry_after = None
        self._has_head = self._is_framed = self._is_reusable = False

    def _finish(self) -> None:
        if self._answered is not None and not self._answered.done():
            try:
                retry_after = self._retry_after.decode("ascii") if self._retry_after else None
            except UnicodeDecodeError:
                retry_after = None
            body = self._body[: self._bytes_max]
            self._answered.set_result(Posted(self._parser.get_status_code(), body, retry_after))

    def _watch_until(self, ends_at: float) -> None:
        """Look then whether a call is over its time.

        A timer for each call would nearly always be made for nothing.
        """
        self._end_watch()
        self._watch = self._loop.call_at(ends_at, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._answered is None:
            return
        if self._loop.time() + TIMER_RESOLUTION_S < self._ends_at:
            self._watch_until(self._ends_at)
        else:
            self._fail(TimeoutError())

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _fail(self, problem: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(problem)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{name}: {text}\r\n" for name, text in headers.items()]
    text = f"{target.start}content-length: {len(body)}\r\n{''.join(lines)}\r\n"
    if text.count("\n") != len(lines) + 4 or text.count("\r") != len(lines) + 4:
        raise httpx.LocalProtocolError("a header of the call has more than one line")
    try:
        return text.encode("latin-1") + body
    except UnicodeEncodeError as problem:
        raise httpx.LocalProtocolError(f"a header of the call is no text: {problem}") from problem
