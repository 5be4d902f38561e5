"""What is counted while the provider runs, written down as Prometheus reads it.

One object for each application, nothing global: two providers in one process count apart. Text
format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from psp_sim.count_store import EventCounts, RowCount

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)

# What a number is of, where several processes share a database. The end of each HELP line.
OF_THE_DATABASE = "in the database: every process shows the same (max)."
OF_THIS_PROCESS = "of this process alone (sum)."

Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass
class Metrics:
    """Requests and attempts since the start; all else is read from the store when asked for.

    ``buckets`` has the attempts that took longer than the bound before and no longer than this one.
    ``events`` is what was read of the log so far, ``rows`` how far each table was counted.
    """

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    attempts_s: float = 0.0
    events: EventCounts = field(default_factory=EventCounts)
    rows: dict[str, RowCount] = field(default_factory=dict)

    def count_request(self, operation: str, status: int) -> None:
        """Count an answered call of the API."""
        self.requests[operation, status] += 1

    def count_attempt(self, status: int | None, lasted_s: float) -> None:
        """Count a call to an endpoint. Its outcome is ``2xx`` and so on, or ``no_answer``."""
        self.attempts["no_answer" if status is None else f"{status // 100}xx"] += 1
        self.attempts_s += lasted_s
        self.buckets[bisect_left(BUCKETS_S, lasted_s)] += 1


def family(name: str, kind: str, meaning: str, samples: Samples) -> str:
    """Return one metric with its samples."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_labels(labels)} {value:.17g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def latency_histogram(metrics: Metrics) -> str:
    """Return how long attempts took."""
    name = "psp_attempt_duration_seconds"
    total = sum(metrics.attempts.values())
    meaning = f"How long calls to endpoints took, {OF_THIS_PROCESS}"
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} histogram"]
    for bound_s, number in zip(BUCKETS_S, accumulate(metrics.buckets), strict=False):
        lines.append(f'{name}_bucket{{le="{bound_s:g}"}} {number}')
    lines += [
        f'{name}_bucket{{le="+Inf"}} {total}',
        f"{name}_sum {metrics.attempts_s:.17g}",
        f"{name}_count {total}",
    ]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {
        name: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, text in labels.items()
    }
    return "{" + ",".join(f'{name}="{text}"' for name, text in escaped.items()) + "}"
