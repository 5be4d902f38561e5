"""Which log lines are written: of those that everybody has to say at once, one in a while."""

from __future__ import annotations

import logging


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
