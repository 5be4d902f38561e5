"""From what was seen, and from what the model draws, to the same figures, side by side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, pstdev

from scenarios.comparison.model import Drawn
from scenarios.comparison.observation import Observation

PERCENTILES = (50, 95, 99)
# Three standard errors: of a hundred figures that agree, none is expected outside.
STANDARD_ERRORS = 3.0
# A percentile with fewer payments beyond it is chance, and not compared.
BEYOND_MIN = 9
# Network and timestamps are not modelled finer than this.
RESOLUTION_S = 0.005


@dataclass(frozen=True, slots=True)
class Staleness:
    """How late news was, in seconds. What was never learnt counts as late up to the end."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float

    def as_json(self, digits: int = 4) -> dict[str, float]:
        """Return it by name; what is infinite is left out, since JSON has no word for it."""
        values = {name: getattr(self, name) for name in ("mean", "p50", "p95", "p99", "max")}
        return {k: round(v, digits) for k, v in values.items() if math.isfinite(v)}


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests per payment: what they brought. ``total`` is the sum of the four."""

    useful: float
    wasted: float
    not_modified: float
    failed: float

    @property
    def total(self) -> float:
        """All requests per payment."""
        return self.useful + self.wasted + self.not_modified + self.failed

    @property
    def wasted_percent(self) -> float:
        """The share that told nothing new, 304 and failures included."""
        return 100 * (1 - self.useful / self.total) if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one strategy in one weather.

    ``background_*`` are requests that do not grow with the payments; rates are per second
    while customers came; ``sources`` counts how the outcomes were learnt; ``staleness_error_s``
    is how far the mean may lie from that of other customers on such a day.
    """

    payments: int
    staleness: Staleness
    requests: Requests
    background_per_payment: float
    background_per_hour: float
    held_mean: float
    held_max: int
    api_per_second: float
    api_per_second_peak: float
    webhooks_per_second: float
    unresolved: int
    sources: Mapping[str, int] = field(default_factory=dict)
    staleness_error_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Predicted:
    """The model's figures, and how far a sample of this size may lie from each."""

    staleness: Staleness
    requests_per_payment: float
    held_mean: float
    staleness_error: Mapping[str, tuple[float, float]]
    requests_error: float


def staleness_of(observation: Observation) -> list[float]:
    """Return each payment's staleness in seconds, shortest first."""
    ended_s = observation.ended_s
    return sorted(
        max((ended_s if p.learnt_s is None else p.learnt_s) - p.settled_s, 0.0)
        for p in observation.payments
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of ordered values; ``share`` from 0 to 1."""
    return ordered[min(max(math.ceil(share * len(ordered)), 1), len(ordered)) - 1]


def summary(ordered: Sequence[float]) -> Staleness:
    """Return the figures of ordered values."""
    p50, p95, p99 = (percentile(ordered, percent / 100) for percent in PERCENTILES)
    return Staleness(fmean(ordered), p50, p95, p99, ordered[-1])


def measure(observation: Observation, background: Sequence[str]) -> Measured:
    """Return the figures of what was seen."""
    payments, kinds = len(observation.payments), observation.by_kind
    requests = sum(one.requests for one in kinds.values())
    useless = sum(one.useless for one in kinds.values())
    unchanged = sum(one.not_modified for one in kinds.values())
    failed = sum(one.failed for one in kinds.values())
    in_background = sum(kinds[kind].requests for kind in background if kind in kinds)
    busy = [sample for sample in observation.samples if sample.at_s <= observation.busy_s]
    held = [sample.held for sample in busy] or [0]
    asked = _rates([(sample.at_s, sample.requests) for sample in busy], observation.busy_s)
    told = _rates([(sample.at_s, sample.webhooks) for sample in busy], observation.busy_s)
    ordered = staleness_of(observation)
    return Measured(
        payments=payments,
        staleness=summary(ordered),
        requests=Requests(
            max(requests - useless - failed, 0) / payments,
            (useless - unchanged) / payments,
            unchanged / payments,
            failed / payments,
        ),
        background_per_payment=in_background / payments,
        background_per_hour=in_background / observation.ended_s * 3600,
        held_mean=fmean(held),
        held_max=max(held),
        api_per_second=asked[0],
        api_per_second_peak=asked[1],
        webhooks_per_second=told[0],
        unresolved=sum(p.learnt_s is None for p in observation.payments),
        sources=dict(sorted(Counter(p.source or "never" for p in observation.payments).items())),
        staleness_error_s=STANDARD_ERRORS * pstdev(ordered) / math.sqrt(payments),
    )


def _rates(counted: Sequence[tuple[float, int]], busy_s: float) -> tuple[float, float]:
    """Return the mean rate and the highest between two looks at a counter, as (second, count).

    Both are over the same time, up to the last look, and what a service asked before the first
    counts as asked after it: a mean of those very rates is never above the highest.
    """
    if len(counted) < 2:
        mean = sum(count for _, count in counted) / busy_s
        return mean, mean
    steps = list(pairwise([(0.0, 0), *counted[1:]]))
    highest = max((after - count) / (later_s - at_s) for (at_s, count), (later_s, after) in steps)
    return counted[-1][1] / counted[-1][0], highest


def figures_of(
    drawn: Sequence[Drawn],
    payments: int,
    busy_s: float,
    background: float,
    open_connections: float,
) -> Predicted:
    """Return the model's figures for a sample of ``payments`` that came within ``busy_s``.

    Args:
        background: requests of the whole run that do not grow with the payments
        open_connections: those held whether or not there are payments
    """
    ordered = sorted(each.staleness_s for each in drawn)
    requests = [each.requests for each in drawn]
    held_mean = payments / busy_s * fmean(each.held_s for each in drawn)
    return Predicted(
        staleness=summary(ordered),
        requests_per_payment=fmean(requests) + background / payments,
        held_mean=held_mean + open_connections,
        staleness_error=_intervals(ordered, payments),
        requests_error=STANDARD_ERRORS * pstdev(requests) * _chance(payments, len(drawn)),
    )


def _chance(payments: int, draws: int) -> float:
    """One standard error, in deviations of one payment: that of the sample and of the draws."""
    return math.sqrt(1 / payments + 1 / draws)


def _intervals(ordered: Sequence[float], payments: int) -> dict[str, tuple[float, float]]:
    """Where a sample's figure may lie; for percentiles by rank, whatever the distribution is."""
    finite = [each for each in ordered if math.isfinite(each)]
    chance = STANDARD_ERRORS * _chance(payments, len(ordered))
    error = chance * pstdev(finite) + RESOLUTION_S
    mean = fmean(ordered)
    intervals = {"mean": (mean - error, mean + error)}
    for percent in PERCENTILES:
        share = percent / 100
        if payments * (1 - share) < BEYOND_MIN:
            continue
        spread = chance * math.sqrt(share * (1 - share))
        intervals[f"p{percent}"] = (
            percentile(ordered, max(share - spread, 0.0)) - RESOLUTION_S,
            # Beyond the highest rank a sample may have any value.
            percentile(ordered, share + spread) + RESOLUTION_S if share + spread < 1 else math.inf,
        )
    return intervals
