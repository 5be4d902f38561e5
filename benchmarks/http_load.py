"""The lightest HTTP client there is: requests ready as bytes, over keep-alive connections."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

ANSWER_WITHIN_S = 60.0


@dataclass
class Load:
    """What a number of requests came to."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)


async def send_all(url: str, requests: Iterator[bytes], connections: int) -> Load:
    """Send requests over so many connections, each of them one after the other."""
    parts = urlsplit(url)
    load = Load()
    loop = asyncio.get_running_loop()
    started_at = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(requests, load), parts.hostname, parts.port
        )
        for _ in range(connections)
    ]
    for _, connection in opened:
        connection.start()
    await asyncio.gather(*(connection.done for _, connection in opened))
    load.seconds = time.perf_counter() - started_at
    for transport, _ in opened:
        transport.close()
    return load


async def ask(url: str, request: bytes) -> bytes:
    """Send one request; return the body of its answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    async with asyncio.timeout(ANSWER_WITHIN_S):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
    writer.close()
    return body


def request(method: str, path: str, document: Any = None, headers: str = "") -> bytes:
    """Return a request as it goes over the wire."""
    body = b"" if document is None else json.dumps(document).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: benchmark\r\ncontent-length: {len(body)}\r\n{headers}"
    )
    return head.encode() + b"content-type: application/json\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], load: Load) -> None:
        self._requests = requests
        self._load = load
        self._read = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self.done.set_result(None)
        else:
            self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head_end = self._read.find(b"\r\n\r\n")
        if head_end < 0:
            return
        end = head_end + 4 + _length(self._read[:head_end])
        if len(self._read) >= end:
            self._load.statuses[int(self._read[9:12])] += 1
            self._read = self._read[end:]
            self.start()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed a connection"))


def _length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
