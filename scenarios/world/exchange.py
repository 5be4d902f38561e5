"""One HTTP request and its answer as they travel: facts, and where each side waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """The head of a response as the client gets it; ``rest`` is None when the body is complete."""

    status: int
    headers: Headers
    body: bytes
    rest: ArrivingBody | None


Outcome = Answer | httpx.TransportError


@dataclass(slots=True)
class Parcel:
    """What a server sent at one instant of one answer. It travels as one message."""

    departed_us: int
    status: int = 0
    headers: Headers = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    cut: bool = False
    lost: bool = False


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its answer. ``key`` is its address for random draws and for plans."""

    number: int
    source: str
    destination: str
    method: str
    target: str
    headers: Headers
    body: bytes
    key: str
    client: tuple[str, int]
    server: tuple[str, int]
    scheme: str
    read_timeout_s: float | None
    outcome: asyncio.Future[Outcome]
    timer: asyncio.TimerHandle | None = None
    sent_us: int = 0
    request_arrives_us: int = 0
    answer_arrives_us: int = 0
    parcels: int = 0
    parcel: Parcel | None = None
    rest: ArrivingBody | None = None
    answered: bool = False
    answer_lost: bool = False
    client_gone: bool = False
    on_disconnect: Callable[[], None] | None = None
    server_task: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def settle(self, outcome: Outcome) -> None:
        """Wake the client, unless it has left or knows already."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
            self.stop_timer()

    def stop_timer(self) -> None:
        """The client waits no more."""
        if self.timer is not None:
            self.timer.cancel()


class ArrivingBody(httpx.AsyncByteStream):
    """The rest of a body that is still being sent; each wait is bounded by the read timeout."""

    def __init__(
        self, first: list[bytes], read_timeout_s: float | None, leave: Callable[[], None]
    ) -> None:
        self._chunks = deque(first)
        self._read_timeout_s = read_timeout_s
        self._leave = leave
        self._complete = False
        self._cut = False
        self._more = asyncio.Event()

    def feed(self, parcel: Parcel) -> None:
        """Take in what arrived."""
        self._chunks.extend(parcel.chunks)
        self._complete = self._complete or parcel.complete
        self._cut = self._cut or parcel.cut
        self._more.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self._complete:
                return
            if self._cut:
                raise httpx.RemoteProtocolError(
                    "peer closed connection without sending complete message body "
                    "(incomplete chunked read)"
                )
            await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        self._more.clear()
        try:
            async with asyncio.timeout(self._read_timeout_s):
                await self._more.wait()
        except TimeoutError:
            self._leave()
            raise httpx.ReadTimeout("the rest of the answer did not come in time") from None

    async def aclose(self) -> None:
        """Let go of the connection; the server sees a disconnect if it had more to send."""
        if not self._complete:
            self._leave()
