"""Server-sent events: pieces of text come in as they arrive, whole events go out.

Format: WHATWG HTML, "9.2.6 Interpreting an event stream".
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event. ``id`` is what ``Last-Event-ID`` has to say to go on after it."""

    id: str
    type: str
    data: str


@dataclass(slots=True)
class EventStreamReader:
    """Keeps what has arrived of an event until its closing empty line. One per connection."""

    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    _text: str = ""
    _last_id: str = ""
    _type: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that this piece completes. An unfinished one at the end never counts."""
        text = (self._text + self._decoder.decode(chunk)).removeprefix("\ufeff")
        # A carriage return at the very end may be half of a line's end.
        held = "\r" if text.endswith("\r") else ""
        lines = text.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._text = lines.pop() + held
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event

    def _take(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._last_id = value
        return None

    def _complete(self) -> ServerSentEvent | None:
        data, kind = self._data, self._type
        self._data, self._type = [], ""
        if not data:
            return None
        return ServerSentEvent(self._last_id, kind or "message", "\n".join(data))
