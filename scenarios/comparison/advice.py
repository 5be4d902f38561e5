"""What a team should choose, worked out from the figures: no sentence here knows the result."""

from __future__ import annotations

from collections.abc import Sequence

from psp_sim.domain.duration import format_duration
from scenarios.comparison.compare import Result
from scenarios.comparison.ranking import Standing, later_in, standings

PER_DAY_GROWTH = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
_SECONDS_PER_DAY = 86_400
# A page of the event log, and two events per payment: reading cannot cost less than this.
_LOG_PAYMENTS_PER_PAGE = 50
# With fewer payments there is no slowest percent to speak of.
_PERCENT_OF_MIN = 100
_NEXT_MAX = 3


def requests_per_day(result: Result, payments_per_day: float) -> float:
    """Return what a strategy costs a day at another volume than that of the run.

    Requests about a payment grow with the payments; those in the background do not, until the
    pages that they read are full.
    """
    measured, reads_log = result.measured, "event-log" in result.strategy.background
    per_payment = measured.requests.total - measured.background_per_payment
    pages = payments_per_day / _LOG_PAYMENTS_PER_PAGE if reads_log else 0.0
    return per_payment * payments_per_day + max(measured.background_per_hour * 24, pages)


def advice(results: Sequence[Result]) -> str:
    """Return one paragraph: what to choose and why, from the figures alone.

    A team that the provider can call may ask as well, so it chooses among all.
    """
    ranked = standings(results)
    told = [s for s in ranked if s.listens]
    asking = [s for s in ranked if not s.listens]
    best = ranked[0]
    if best.listens:
        sentences = [*_choose("A team that the provider can call", best, results), *_next(ranked)]
        if asking:
            sentences += _choose("A team that nobody can call", asking[0], results)
    else:
        sentences = [*_choose("A team, callable or not,", best, results), *_next(ranked)]
        if told:
            sentences += _best_of_told(told)
    sentences += _at_ten_million(ranked, results)
    lost = [f"{s.name} ({s.unresolved})" for s in ranked if s.unresolved]
    if lost:
        sentences.append(f"Outcomes never learnt within a day: {', '.join(lost)}.")
    return " ".join(sentences)


def live_check(results: Sequence[Result], live: Sequence[Result]) -> str:
    """Say whether a small run on real processes contradicts the choice; it makes none itself."""
    chosen = standings(results)[0].name
    real = standings(live)
    choice = next(s for s in real if s.name == chosen)
    better = [s.name for s in real if s.unresolved < choice.unresolved or later_in(choice, s)]
    where = f"Over real HTTP, with {choice.payments} payments in each run,"
    if better:
        return (
            f"{where} that is contradicted: better than {chosen}, by more than chance, was "
            f"{_list(better)}."
        )
    return (
        f"{where} nothing contradicts that: none was earlier than {chosen} by more than chance and "
        f"the {_time(live[0].resolution_s)} that a real machine's own time may come to here. Such "
        "a run is a check; it chooses nothing."
    )


def _choose(who: str, best: Standing, results: Sequence[Result]) -> list[str]:
    first = results[0].weather.name
    return [
        f"{who} should take {best.name}: {_figures(best)}, for at most {best.requests:.2f} "
        f"requests per payment, with {best.unresolved or 'no'} outcomes missed.",
        f"On a {first} day 95 % of its news came within {_time(best.first_p95_s)}.",
    ]


def _figures(standing: Standing) -> str:
    worst = standing.worst
    most = (
        f"99 % of it within {_time(worst.p99)} and " if standing.payments >= _PERCENT_OF_MIN else ""
    )
    return (
        f"in its worst weather, {standing.late[0].weather}, news came {_time(worst.mean)} late on "
        f"average, {most}the last after {_time(worst.max)}"
    )


def _next(ranked: Sequence[Standing]) -> list[str]:
    others = ranked[1 : 1 + _NEXT_MAX]
    if not others:
        return []
    listed = _list([f"{s.name} ({_compared(s, ranked[0])})" for s in others])
    return [f"Where that is not on offer, next in rank: {listed}."]


def _best_of_told(told: Sequence[Standing]) -> list[str]:
    best, *others = told
    rest = [f" In comparison, {other.name}: {_compared(other, best)}." for other in others]
    return [
        f"Of those that wait for the provider's call, {best.name} is the best: {_figures(best)}, "
        f"for at most {best.requests:.2f} requests per payment.{''.join(rest)}"
    ]


def _compared(one: Standing, best: Standing) -> str:
    cost = f"at most {one.requests:.2f} requests"
    late = later_in(one, best)
    if late is None:
        return f"as late, but for chance, {cost}"
    return f"{_time(late.mean_s)} late on average in {late.weather}, {cost}"


def _at_ten_million(ranked: Sequence[Standing], results: Sequence[Result]) -> list[str]:
    """Compare with the dearest at the volume of a large shop."""
    first = results[0].weather.name
    calm = {r.strategy.name: r for r in results if r.weather.name == first}
    per_day = {s.name: requests_per_day(calm[s.name], PER_DAY_GROWTH[-1]) for s in ranked}
    dearest = max(per_day, key=lambda name: per_day[name])
    best = ranked[0].name
    if dearest == best:
        return []
    return [
        f"At ten million payments a day {dearest} needs {_per_second(per_day[dearest])}, "
        f"{best} {_per_second(per_day[best])}."
    ]


def _per_second(per_day: float) -> str:
    rate = per_day / _SECONDS_PER_DAY
    return f"{rate:,.0f} requests a second" if rate >= 1 else "less than one"


def _list(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else format_duration(round(seconds))
