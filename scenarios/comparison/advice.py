"""What a team should choose, worked out from the figures: no sentence here knows the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psp_sim.domain.duration import format_duration
from scenarios.comparison.compare import Result

PER_DAY_GROWTH = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_SECONDS_PER_DAY = 86_400
# A page of the event log, and two events per payment: reading cannot cost less than this.
_LOG_PAYMENTS_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """A strategy over all weathers: its worst lateness, its dearest payment, what it lost."""

    name: str
    listens: bool
    worst_p99_s: float
    calm_p95_s: float
    requests: float
    unresolved: int


def dominated_by(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return for each strategy of one weather those that cost no more and are no later, one less.

    Cost is requests per payment; lateness is the 95th percentile, to the hundredth of a second.
    """
    points = {r.strategy.name: _point(r) for r in results}
    return {
        name: [
            other
            for other, (cost, late) in points.items()
            if (cost, late) != mine and cost <= mine[0] and late <= mine[1]
        ]
        for name, mine in points.items()
    }


def _point(result: Result) -> tuple[float, float]:
    return round(result.measured.requests.total, 2), _lateness(result.measured.staleness.p95)


def _lateness(seconds: float) -> float:
    """What is apart by less than a round trip's chance is equally late."""
    return round(seconds, 2)


def requests_per_day(result: Result, payments_per_day: float) -> float:
    """Return what a strategy costs a day at another volume than that of the run.

    Requests about a payment grow with the payments; those in the background do not, until the
    pages that they read are full.
    """
    measured, reads_log = result.measured, "event-log" in result.strategy.background
    per_payment = measured.requests.total - measured.background_per_payment
    pages = payments_per_day / _LOG_PAYMENTS_PER_PAGE if reads_log else 0.0
    return per_payment * payments_per_day + max(measured.background_per_hour * 24, pages)


def standings(results: Iterable[Result]) -> list[Standing]:
    """Return every strategy over all its weathers, the best first: of two as late, the cheaper."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.strategy.name, []).append(result)
    found = [
        Standing(
            name,
            each[0].strategy.needs_public_address,
            max(r.measured.staleness.p99 for r in each),
            each[0].measured.staleness.p95,
            max(r.measured.requests.total for r in each),
            sum(r.measured.unresolved for r in each),
        )
        for name, each in by_name.items()
    ]
    return sorted(found, key=lambda s: (s.unresolved, _lateness(s.worst_p99_s), s.requests))


def advice(results: Sequence[Result]) -> str:
    """Return one paragraph: what to choose and why, from the figures alone."""
    ranked = standings(results)
    weathers = list(dict.fromkeys(r.weather.name for r in results))
    told = [s for s in ranked if s.listens]
    asking = [s for s in ranked if not s.listens]
    sentences = []
    if told:
        sentences.append(_choose("A team that the provider can call", told, weathers))
        sentences += _compared(told)
    if asking:
        sentences.append(_choose("A team that nobody can call", asking, weathers))
        sentences += _cheapest(asking, results)
    lost = [f"{s.name} ({s.unresolved})" for s in ranked if s.unresolved]
    if lost:
        sentences.append(f"Outcomes never learnt within a day: {', '.join(lost)}.")
    return " ".join(sentences)


def _choose(who: str, ranked: Sequence[Standing], weathers: Sequence[str]) -> str:
    best = ranked[0]
    return (
        f"{who} should take {best.name}: in the worst of {', '.join(weathers)} its slowest percent "
        f"was {_time(best.worst_p99_s)} late or more, for at most {best.requests:.2f} requests per "
        f"payment, with {best.unresolved or 'no'} outcomes missed; on a {weathers[0]} day 95 % of "
        f"its news came within {_time(best.calm_p95_s)}."
    )


def _compared(ranked: Sequence[Standing]) -> list[str]:
    best = ranked[0]
    return [
        f"In comparison, {other.name} costs up to {other.requests:.2f} requests and is at worst "
        f"{_times(other.worst_p99_s, best.worst_p99_s)} as late ({_time(other.worst_p99_s)})."
        for other in ranked[1:]
    ]


def _cheapest(ranked: Sequence[Standing], results: Sequence[Result]) -> list[str]:
    """Compare with the cheapest for a small shop, and with the dearest."""
    first = results[0].weather.name
    calm = {r.strategy.name: r for r in results if r.weather.name == first}
    per_day = {s.name: requests_per_day(calm[s.name], PER_DAY_GROWTH[-1]) for s in ranked}
    dearest = max(per_day, key=lambda name: per_day[name])
    best = ranked[0].name
    text = (
        f"At ten million payments a day {dearest} needs "
        f"{per_day[dearest] / _SECONDS_PER_DAY:,.0f} requests a second, "
        f"{best} {per_day[best] / _SECONDS_PER_DAY:,.0f}."
    )
    return [text] if dearest != best else []


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else format_duration(round(seconds, 1))


def _times(one: float, other: float) -> str:
    return f"{one / other:.1f} times" if other > 0 else "many times"
