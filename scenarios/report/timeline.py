"""A neutral list of what happened, for diagrams of every sort: who told whom what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["normal", "fault", "broken"]


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One message, or a note on one participant where ``target`` is None.

    ``at_s`` counts from the beginning of the run; ``arrives`` is False for what was lost.
    """

    at_s: float
    source: str
    target: str | None
    text: str
    mark: Mark = "normal"
    is_answer: bool = False
    arrives: bool = True


def participants(steps: Sequence[TimelineStep]) -> list[str]:
    """Return who takes part, in a fixed order: those who begin on the left."""
    order = ("customer", "shop", "psp", "warehouse")
    names = dict.fromkeys(
        name for step in steps for name in (step.source, step.target) if name is not None
    )
    return sorted(names, key=lambda n: (order.index(n) if n in order else len(order), n))


def written_moment(at_s: float) -> str:
    """Return a moment as people read it: ``2.033 s``, ``3 h 25 min``."""
    if at_s < 120:
        return f"{at_s:.3f} s"
    if at_s < 7200:
        return f"{int(at_s // 60)} min {at_s % 60:.0f} s"
    return f"{int(at_s // 3600)} h {int(at_s % 3600 // 60)} min"
