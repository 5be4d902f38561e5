"""From log records to lines: for people, coloured on a terminal, or JSON for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_FAINT, _GREEN, _RED, _PLAIN = "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"
# What a stranger's server answers may hold anything, also codes that a terminal obeys.
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "?")


class Seldom(logging.Filter):
    """Lets through what says ``seldom`` once a minute for each word that it says there.

    An outage would fill the log otherwise: everybody who works or calls has the same to say.
    """

    _AGAIN_AFTER_S = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write a line."""
        word: str | None = getattr(record, "seldom", None)
        if word is None:
            return True
        said_at = self._said_at.get(word)
        if said_at is not None and 0 <= record.created - said_at < self._AGAIN_AFTER_S:
            return False
        self._said_at[word] = record.created
        return True


class TextLines(logging.Formatter):
    """``21:04:05.123  --> payment.succeeded [evt_…] attempt 2``, in local time."""

    def __init__(self, *, is_coloured: bool) -> None:
        super().__init__()
        self._is_coloured = is_coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; an exception adds its traceback."""
        facts = getattr(record, "facts", {})
        at = datetime.fromtimestamp(facts.get("at", record.created)).astimezone()
        time = at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"
        text = record.getMessage().translate(_CONTROL)
        if record.levelno >= logging.WARNING:
            text = f"{record.levelname} {record.name}: {text}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if not self._is_coloured:
            return f"{time}  {text}"
        status = facts.get("status")
        colour = ""
        if facts.get("direction") == "answered":
            colour = _GREEN if status is not None and 200 <= status < 300 else _RED
        return f"{_FAINT}{time}{_PLAIN}  {colour}{text}{_PLAIN}"


class JsonLines(logging.Formatter):
    """One JSON object for each record, its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        facts = dict(getattr(record, "facts", {}))
        at = datetime.fromtimestamp(facts.pop("at", record.created), UTC)
        document = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts,
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document)
