"""What the provider asks of the world around it, besides a database and an HTTP transport."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time of day. How time passes is the event loop's business."""

    def now(self) -> float:
        """Return Unix seconds, UTC."""
        ...
