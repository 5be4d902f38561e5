"""What tracking costs and gives: counts and ages come in, Prometheus text or plain numbers go out.

A small module of our own: the usual client library keeps a global registry, takes locks and reads
the machine's clock, none of which a run that has to be repeatable can have.
Format: Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_OF_THIS_PROCESS = "of this process alone (sum)"
_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 86400.0)
_KEPT = 4096


@dataclass(slots=True)
class Staleness:
    """How old news was when the shop learnt it, in seconds; percentiles over the last 4096."""

    count: int = 0
    sum_s: float = 0.0
    max_s: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * len(_BUCKETS_S))
    latest: deque[float] = field(default_factory=deque)
    ordered: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """Count one piece of news; clocks that differ can make it look younger than new."""
        age_s = max(seconds, 0.0)
        self.count += 1
        self.sum_s += age_s
        self.max_s = max(self.max_s, age_s)
        self._keep(age_s)
        for index, bound_s in enumerate(_BUCKETS_S):
            self.buckets[index] += age_s <= bound_s

    def percentile(self, percent: int) -> float:
        """The nearest-rank percentile; 0 while there is nothing."""
        if not self.ordered:
            return 0.0
        return self.ordered[max(-(-len(self.ordered) * percent // 100), 1) - 1]

    def _keep(self, age_s: float) -> None:
        """Put it into its place: whoever looks often must not have all of them sorted each time."""
        if len(self.latest) == _KEPT:
            del self.ordered[bisect_left(self.ordered, self.latest.popleft())]
        self.latest.append(age_s)
        insort(self.ordered, age_s)


@dataclass(slots=True)
class Measurements:
    """Counts by kind of request since the shop started, such as ``polling`` or ``webhook``.

    A request is useless when it told nothing new; a 304 is useless too, and counted beside it.
    """

    requests: Counter[str] = field(default_factory=Counter)
    useless: Counter[str] = field(default_factory=Counter)
    not_modified: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    staleness: dict[str, Staleness] = field(default_factory=dict)

    def learnt(self, event_type: str, age_s: float) -> None:
        """Note how old an event was when the shop came to know of it."""
        self.staleness.setdefault(event_type, Staleness()).add(age_s)

    def as_json(self) -> dict[str, object]:
        """The same as plain numbers, with totals over all kinds."""
        return {
            "requests": self.requests.total(),
            "useless_requests": self.useless.total(),
            "not_modified": self.not_modified.total(),
            "failed_requests": self.failed.total(),
            "connections_held": self.held.total(),
            "by_kind": {
                kind: {
                    "requests": self.requests[kind],
                    "useless_requests": self.useless[kind],
                    "not_modified": self.not_modified[kind],
                    "failed_requests": self.failed[kind],
                    "connections_held": self.held[kind],
                }
                for kind in sorted({*self.requests, *self.held})
            },
            "endpoint_repairs": dict(sorted(self.repairs.items())),
            "staleness_seconds": {
                name: {
                    "count": one.count,
                    "mean": one.sum_s / one.count,
                    "p50": one.percentile(50),
                    "p95": one.percentile(95),
                    "p99": one.percentile(99),
                    "max": one.max_s,
                }
                for name, one in sorted(self.staleness.items())
            },
        }


def prometheus_text(measured: Measurements, gauges: Mapping[str, tuple[str, float]]) -> str:
    """Everything measured, which is of this process, and further gauges as {name: (help, value)}.

    Each HELP line ends with how the numbers of several processes are put together.
    """
    lines: list[str] = []
    for name, help_text, kind, label, values in (
        (
            "requests_total",
            "requests made or webhooks received",
            "counter",
            "kind",
            measured.requests,
        ),
        (
            "useless_requests_total",
            "requests that told nothing new",
            "counter",
            "kind",
            measured.useless,
        ),
        ("not_modified_total", "answers 304", "counter", "kind", measured.not_modified),
        (
            "failed_requests_total",
            "requests without a usable answer",
            "counter",
            "kind",
            measured.failed,
        ),
        ("connections_held", "connections held open for news", "gauge", "kind", measured.held),
        (
            "endpoint_repairs_total",
            "repairs of the webhook endpoint",
            "counter",
            "problem",
            measured.repairs,
        ),
    ):
        lines += _family(f"shop_tracking_{name}", help_text, kind, label, values)
    lines += _histogram("shop_tracking_staleness_seconds", measured.staleness)
    for name, (help_text, value) in gauges.items():
        lines += [f"# HELP shop_{name} {help_text}", f"# TYPE shop_{name} gauge"]
        lines.append(f"shop_{name} {value:g}")
    return "\n".join(lines) + "\n"


def _family(
    name: str, help_text: str, kind: str, label: str, values: Mapping[str, int]
) -> Iterable[str]:
    yield f"# HELP {name} {help_text}, {_OF_THIS_PROCESS}"
    yield f"# TYPE {name} {kind}"
    for value in sorted(values):
        yield f'{name}{{{label}="{_escaped(value)}"}} {values[value]}'


def _histogram(name: str, by_type: Mapping[str, Staleness]) -> Iterable[str]:
    yield f"# HELP {name} from the provider's event to the shop's knowing of it, {_OF_THIS_PROCESS}"
    yield f"# TYPE {name} histogram"
    for event_type, one in sorted(by_type.items()):
        label = f'type="{_escaped(event_type)}"'
        for bound_s, count in zip(_BUCKETS_S, one.buckets, strict=True):
            yield f'{name}_bucket{{{label},le="{bound_s:g}"}} {count}'
        yield f'{name}_bucket{{{label},le="+Inf"}} {one.count}'
        yield f"{name}_sum{{{label}}} {one.sum_s:g}"
        yield f"{name}_count{{{label}}} {one.count}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
