"""How long things last on stage: as they do live, or all of them shorter in proportion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """``factor`` is what a second of the live show takes."""

    factor: float = 1.0

    def of(self, live_s: float) -> float:
        """Return how many seconds it lasts here."""
        return round(live_s * self.factor, 2)


LIVE = Pace()
