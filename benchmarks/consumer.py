"""The lightest webhook consumer there is: it reads a call, answers 204, and counts.

``python -m benchmarks.consumer`` says where it listens. ``GET /`` answers with how many calls came.
"""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop

_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Consumer:
    """What all connections share."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self) -> bytes:
        """Answer with how many calls came."""
        text = str(self.calls).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text)


class Connection(asyncio.Protocol):
    """One keep-alive connection; understands just the requests that the benchmarks send."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._read += data
        while (head_end := self._read.find(b"\r\n\r\n")) >= 0:
            end = head_end + 4 + _body_length(self._read[:head_end])
            if len(self._read) < end:
                return
            request, self._read = self._read[:end], self._read[end:]
            if request.startswith(b"GET "):
                self._transport.write(self._consumer.count())
            else:
                self._consumer.calls += 1
                self._transport.write(_TAKEN)


def _body_length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def _serve() -> None:
    consumer = Consumer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(consumer), "127.0.0.1", 0, backlog=512)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
