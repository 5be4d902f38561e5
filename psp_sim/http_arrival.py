"""Requests arrive whole, within a size and a time, or the connection ends with the reason why not.

uvicorn bounds neither with its faster parser: a head could grow until the memory is full, and a
connection on which nothing comes stayed open for ever. What arrives in one piece, as nearly all
requests do, costs no timer here.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from psp_sim.domain.errors import HeadTooLarge, MalformedHttp, PspError, RequestTooSlow
from psp_sim.http_operation import problem

HEAD_BYTES_MAX = 32_768
ARRIVAL_S = 10.0
# Closed while the client still sends, a connection is reset, and the answer may be lost with it.
_READING_ON_S = 1.0
_MALFORMED = "this is not HTTP/1.1, or a method that nothing here takes; nothing was done"


class ArrivingRequests(HttpToolsProtocol):
    """Answers what is no HTTP, too large or too slow like every other error, and then closes."""

    _has_begun = _is_in_head = False
    _head_bytes = _piece_bytes = 0
    _refusal: PspError | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(ARRIVAL_S, self._on_time_over)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the next piece of what arrives."""
        if self._refusal is not None:
            return
        was_in_head, self._piece_bytes = self._is_in_head, len(data)
        super().data_received(data)
        if self._is_in_head and was_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_too_large())
        if self._is_in_head or self._is_body_to_come():
            if self._timer is None:
                self._timer = self.loop.call_later(ARRIVAL_S, self._on_time_over)
        elif self._timer is not None:
            self._stop_timer()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._has_begun = self._is_in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Have the request carried out, if its head is not too large."""
        self._is_in_head = False
        # Only then can it be: the piece may have held more than the head.
        if self._head_bytes + self._piece_bytes > HEAD_BYTES_MAX:
            lines = sum(len(name) + len(value) for name, value in self.headers)
            if len(self.url) + lines > HEAD_BYTES_MAX:
                self._refusal = _too_large()
                raise self._refusal
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answer what could not be read."""
        self._refuse(self._refusal or MalformedHttp(_MALFORMED))

    def _refuse(self, error: PspError) -> None:
        self._refusal = error
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._is_at_work():
            # The client would take this for the answer to that call, which may well be carried out.
            self.transport.abort()
            return
        self._answer(error)
        if self.cycle is not None:
            # Whoever waits for the body learns that none will come.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._timer = self.loop.call_later(_READING_ON_S, self.transport.close)

    def _answer(self, error: PspError) -> None:
        answer = problem(error)
        headers = [
            *self.server_state.default_headers,
            *answer.raw_headers,
            (b"connection", b"close"),
        ]
        status = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()
        lines = [status, *(b": ".join(header) for header in headers)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
        self.transport.write_eof()

    def _is_at_work(self) -> bool:
        """Tell whether a call has arrived whole and has no whole answer."""
        if self.pipeline:
            return True
        return self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)

    def _is_body_to_come(self) -> bool:
        return self.cycle is not None and self.cycle.more_body and not self.cycle.response_started

    def _on_time_over(self) -> None:
        self._timer = None
        if self._is_at_work():
            # The client has sent on while it waits for an answer: that comes first.
            self._timer = self.loop.call_later(ARRIVAL_S, self._on_time_over)
        elif self._is_in_head or self._is_body_to_come():
            self._refuse(RequestTooSlow(f"the request did not arrive within {ARRIVAL_S:g} s"))
        elif not self._has_begun:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _too_large() -> HeadTooLarge:
    return HeadTooLarge(f"the head of the request is larger than {HEAD_BYTES_MAX} bytes: send less")
