"""Memory and waiting times of a long run come in; what grew from first to last third goes out.

A soak is there to find what only time shows: a leak, a table that is read whole, a queue that
nobody empties. All of them look harmless in any one minute.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# What fills at the beginning (caches, pools, the users themselves) is no leak.
WARM_UP_SHARE = 0.1
# From 1 ms to 3 is no growth that a clock of whole milliseconds on a busy machine could tell.
_GRAIN_MS = 5.0

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Change:
    """One figure as it was in the first and in the last third of a run."""

    what: str
    unit: str
    early: float
    late: float

    @property
    def growth_percent(self) -> float:
        """How much more it was in the end; negative when it shrank."""
        return 100 * (self.late / self.early - 1) if self.early else 0.0

    def told(self) -> str:
        """Return one line of a table."""
        figures = f"{self.early:>9,.0f}  →{self.late:>9,.0f} {self.unit:<3}"
        return f"{self.what:<34}{figures}{self.growth_percent:>+7.0f} %"


def waiting_times(history: Path) -> Samples:
    """Return each request's median, in ms, as locust's full history tells it, second by second.

    Its zeros are seconds around which nobody made the request.
    """
    samples: Samples = {}
    with history.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Type"] and row["50%"] not in ("N/A", "0"):
                samples.setdefault(f"{row['Type']} {row['Name']}", []).append(float(row["50%"]))
    return samples


def changes(samples: Samples, unit: str) -> list[Change]:
    """Return the medians of the first and last third of each series, its warm-up left out.

    A series of fewer than three values says nothing and is left out.
    """
    found = []
    for name, values in samples.items():
        warm = values[int(len(values) * WARM_UP_SHARE) :]
        if third := len(warm) // 3:
            found.append(Change(name, unit, median(warm[:third]), median(warm[-third:])))
    return found


def grown(found: Sequence[Change], limit_percent: float) -> list[str]:
    """Return a sentence for each figure that grew by more than the limit (a wait: by 5 ms)."""
    return [
        f"{one.what} grew by {one.growth_percent:.0f} % ({one.early:,.0f} → {one.late:,.0f} "
        f"{one.unit}), but may grow by {limit_percent:g} % at most."
        for one in found
        if one.growth_percent > limit_percent
        and (one.unit != "ms" or one.late - one.early >= _GRAIN_MS)
    ]
