"""Between a server's protocol and its transport: what is written in one go leaves in one piece.

uvicorn writes the head of an answer and its body one after the other. Each write is a call of the
system and wakes the client, who can do nothing with half an answer.
"""

from __future__ import annotations

import asyncio
from typing import Any


class WholeAnswers(asyncio.Transport):
    """Holds the first part back until the answer is complete, or the loop's next turn."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the first part; send it with the second, or in a moment by itself."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif data:
            self._held = bytes(data)
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held back, if there is still somebody to send it to."""
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)

    def close(self) -> None:
        """Close the connection once all that was written is sent."""
        self.flush()
        self._transport.close()

    def write_eof(self) -> None:
        """Tell the client that nothing more follows what was written; read on."""
        self.flush()
        self._transport.write_eof()

    def abort(self) -> None:
        """Close the connection at once; nothing that is held back is sent."""
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the connection knows of itself."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more from the client for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more from the client."""
        self._transport.resume_reading()
