"""Which strategy is better than which: by what was measured, and never by what may be chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scenarios.comparison.compare import Result
from scenarios.comparison.figures import Staleness


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late news was on average in one weather, and how much of that may be chance."""

    weather: str
    mean_s: float
    chance_s: float

    def is_later_than(self, other: Lateness) -> bool:
        """Tell whether the two are apart by more than chance."""
        return self.mean_s - other.mean_s > math.hypot(self.chance_s, other.chance_s)


@dataclass(frozen=True, slots=True)
class Standing:
    """A strategy over all weathers: how late it is in each, its dearest payment, its losses.

    ``late`` has the worst weather first; ``worst`` are all figures of that one.
    """

    name: str
    listens: bool
    late: tuple[Lateness, ...]
    worst: Staleness
    first_p95_s: float
    requests: float
    unresolved: int
    payments: int


def dominated_by(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return for each strategy of one weather those that cost no more and are no later, one less.

    Cost is requests per payment, to the hundredth; lateness is the 95th percentile, and who is
    apart by less than a round trip's chance is equally late.
    """
    points = {r.strategy.name: _point(r) for r in results}
    apart_s = max((r.resolution_s for r in results), default=0.0)
    return {
        name: [other for other, point in points.items() if _dominates(point, mine, apart_s)]
        for name, mine in points.items()
    }


def _point(result: Result) -> tuple[float, float]:
    return round(result.measured.requests.total, 2), result.measured.staleness.p95


def _dominates(one: tuple[float, float], other: tuple[float, float], apart_s: float) -> bool:
    (cost, late_s), (others_cost, others_late_s) = one, other
    if cost > others_cost or late_s > others_late_s + apart_s:
        return False
    return cost < others_cost or late_s < others_late_s - apart_s


def standings(results: Iterable[Result]) -> list[Standing]:
    """Return every strategy over all its weathers, the best first."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.strategy.name, []).append(result)
    return _ranked([_standing(each) for each in by_name.values()])


def _standing(results: Sequence[Result]) -> Standing:
    latest_first = sorted(results, key=lambda r: -r.measured.staleness.mean)
    worst = latest_first[0]
    return Standing(
        name=worst.strategy.name,
        listens=worst.strategy.needs_public_address,
        late=tuple(_lateness(each) for each in latest_first),
        worst=worst.measured.staleness,
        first_p95_s=results[0].measured.staleness.p95,
        requests=max(r.measured.requests.total for r in results),
        unresolved=sum(r.measured.unresolved for r in results),
        payments=worst.measured.payments,
    )


def _lateness(result: Result) -> Lateness:
    measured = result.measured
    chance_s = math.hypot(measured.staleness_error_s, result.resolution_s)
    return Lateness(result.weather.name, measured.staleness.mean, chance_s)


def _ranked(found: list[Standing]) -> list[Standing]:
    """Put the best first.

    To be as late but for chance is no order that could be sorted by: two may be as late as a
    third, and yet one of them later than the other. So each place is given anew.
    """
    ranked: list[Standing] = []
    left = list(found)
    while left:
        ranked.append(_best(left))
        left.remove(ranked[-1])
    return ranked


def _best(left: Sequence[Standing]) -> Standing:
    """Return who misses the fewest; of those who is earliest in its worst weather, then in its
    next; and of those that only chance sets apart, the cheapest.
    """
    fewest = min(s.unresolved for s in left)
    best = [s for s in left if s.unresolved == fewest]
    for each in range(len(best[0].late)):
        earliest = min((s.late[each] for s in best), key=lambda late: late.mean_s)
        best = [s for s in best if not s.late[each].is_later_than(earliest)]
    return min(best, key=lambda s: (s.requests, s.worst.mean))


def later_in(one: Standing, other: Standing) -> Lateness | None:
    """Return where one is later than the other by more than chance: from the worst weather on."""
    for mine, theirs in zip(one.late, other.late, strict=True):
        if mine.is_later_than(theirs):
            return mine
        if theirs.is_later_than(mine):
            return None
    return None
