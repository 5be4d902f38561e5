"""What a coverage mark is: an event that has to happen sometimes, counted in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenarios.marks.seen import Seen


@dataclass(frozen=True, slots=True)
class Mark:
    """``summary`` completes the sentence "it happened that …"."""

    name: str
    summary: str
    count: Callable[[Seen], int]
