"""Requests sent when they are due, whether or not those before them were answered.

Times run from when a request was due, so a server that stalls is not let off the hook.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

ANSWER_WITHIN_S = 30.0
LINES = 64
# A loop wakes up to a millisecond late; so much of the wait is spent looking at the clock.
AWAKE_S = 0.002


@dataclass(frozen=True)
class Times:
    """Milliseconds from when requests were due to when they were answered."""

    median: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Times:
        """Sum up single times."""
        return cls(median(values), sorted(values)[max(-(-len(values) * 99 // 100), 1) - 1])

    def told(self) -> str:
        """For a person."""
        return f"median {self.median:.2f} ms, p99 {self.p99:.2f} ms"


class Line:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Line:
        """Connect to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        self._writer.write(request)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await self._reader.readexactly(int(length[1]) if length else 0)
        return int(head.split(b" ", 2)[1]), body


def request_for(path: str, body: bytes, headers: Sequence[str] = (), method: str = "POST") -> bytes:
    """A whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: shop", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send_at_a_rate(port: int, requests: Sequence[bytes], rate: float) -> Times:
    """Send so many requests a second. Stops the program at an answer that is not a 2xx."""
    loop, free = asyncio.get_running_loop(), asyncio.LifoQueue[Line]()
    for _ in range(LINES):
        free.put_nowait(await Line.to(port))
    begins_at = loop.time() + 0.1

    async def send(number: int, request: bytes) -> float:
        due_at = begins_at + number / rate
        await asyncio.sleep(due_at - loop.time() - AWAKE_S)
        while loop.time() < due_at:
            await asyncio.sleep(0)
        line = await free.get()
        status, body = await line.ask(request)
        took_ms = (loop.time() - due_at) * 1000
        free.put_nowait(line)
        if not 200 <= status < 300:
            raise SystemExit(f"a request was answered {status}: {body.decode(errors='replace')}")
        return took_ms

    return Times.of(await asyncio.gather(*(send(*one) for one in enumerate(requests))))
