"""What is advised agrees with the tables, and is never read out of chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.comparison.advice import advice, live_check
from scenarios.comparison.compare import Result, Run, watch_run
from scenarios.comparison.document import by_weather, comparison_document
from scenarios.comparison.ranking import dominated_by, standings
from scenarios.comparison.strategies import STRATEGIES
from scenarios.comparison.weather import weather_named
from scenarios.comparison.workload import Workload

PAYMENTS = 120
WEATHERS = ("calm", "blackout")


@pytest.fixture(scope="module")
def played() -> list[Result]:
    workload = Workload(PAYMENTS, 1)
    weathers = [weather_named(name, workload.window_s) for name in WEATHERS]
    return [watch_run(Run(s, workload, weather)) for weather in weathers for s in STRATEGIES]


def of(results: list[Result], *names: str, faults: str = "calm") -> list[Result]:
    found = {r.strategy.name: r for r in results if r.weather.name == faults}
    return [found[name] for name in names]


def late(result: Result, mean_s: float, error_s: float = 0.0, payments: int = PAYMENTS) -> Result:
    measured = result.measured
    staleness = replace(measured.staleness, mean=mean_s)
    changed = replace(measured, staleness=staleness, staleness_error_s=error_s, payments=payments)
    return replace(result, measured=changed)


def test_what_is_advised_is_dominated_by_none_that_the_same_team_could_take(played) -> None:
    best = standings(played)[0].name
    for weather, results in by_weather(played).items():
        assert dominated_by(results)[best] == [], weather
    assert f"A team, callable or not, should take {best}: " in advice(played)


def test_the_best_that_waits_for_a_call_is_told_beside_a_choice_that_asks(played) -> None:
    text = advice(played)
    assert (
        "Of those that wait for the provider's call, webhooks + reconciliation is the best" in text
    )
    assert "In comparison, webhooks: " in text
    assert text.count("should take") == 1


def test_a_callable_team_is_advised_to_listen_where_that_is_best_and_others_to_ask(played) -> None:
    text = advice(of(played, "webhooks", "polling 5 s", "polling 15 s"))
    assert "A team that the provider can call should take webhooks: " in text
    assert "A team that nobody can call should take polling 5 s: " in text


def test_how_late_the_last_news_was_stands_beside_the_percentile(played) -> None:
    worst = of(played, "event stream", faults="blackout")[0].measured.staleness
    assert worst.p99 < 1 < worst.max or worst.max > 60
    text = advice(played)
    assert "in its worst weather, blackout, news came" in text
    assert "late on average, 99 % of it within" in text
    assert "and the last after" in text


def test_fewer_than_a_hundred_payments_have_no_slowest_percent(played) -> None:
    few = [
        late(r, 2.0 + n, payments=99) for n, r in enumerate(of(played, "webhooks", "polling 5 s"))
    ]
    text = advice(few)
    assert "99 %" not in text
    assert "percent" not in text
    assert "and the last after" not in text
    assert "on average, the last after" in text


def test_of_two_that_chance_may_have_set_apart_the_cheaper_is_advised(played) -> None:
    stream, held = of(played, "event stream", "long polling")
    assert stream.measured.requests.total < held.measured.requests.total
    for stream_s, held_s in ((5.0, 4.0), (4.0, 5.0)):
        text = advice([late(held, held_s, error_s=1.0), late(stream, stream_s, error_s=1.0)])
        assert "should take event stream" in text
        assert "long polling (as late, but for chance, " in text
    text = advice([late(held, 4.0, error_s=0.1), late(stream, 5.0, error_s=0.1)])
    assert "should take long polling" in text


def test_who_is_as_late_in_the_worst_weather_is_told_apart_by_the_next(played) -> None:
    def in_both(name: str, worst_s: float, calm_s: float) -> list[Result]:
        calm, blackout = (of(played, name, faults=faults)[0] for faults in WEATHERS)
        return [late(calm, calm_s, error_s=0.1), late(blackout, worst_s, error_s=2.0)]

    log, held = in_both("event log 5 s", 5.0, 2.5), in_both("long polling", 6.0, 0.003)
    assert [s.name for s in standings([*log, *held])] == ["long polling", "event log 5 s"]
    assert "event log 5 s (2.5 s late on average in calm, " in advice([*log, *held])


def test_a_live_run_makes_no_choice_of_its_own(played) -> None:
    simulated = of(played, "event stream", "webhooks", "webhooks + reconciliation")
    live = [
        replace(late(r, mean_s, payments=30), resolution_s=0.4)
        for r, mean_s in zip(simulated, (0.03, 0.02, 0.01), strict=True)
    ]
    said = live_check(simulated, live)
    assert "nothing contradicts that: none was earlier than event stream" in said
    assert "should take" not in said
    document = comparison_document(simulated, live, 1, "live")
    assert document["live_check"] == said
    assert document["advice"] == advice(simulated)
    assert document["live"][0]["strategies"][0]["dominated_by"] == []


def test_a_live_run_that_contradicts_the_choice_says_so(played) -> None:
    simulated = of(played, "event stream", "webhooks")
    live = [late(r, mean_s) for r, mean_s in zip(simulated, (9.0, 0.01), strict=True)]
    said = live_check(simulated, live)
    assert "contradicted: better than event stream, by more than chance, was webhooks" in said
