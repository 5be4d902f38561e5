"""Every way of learning an outcome, measured in virtual time and beside its prediction."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scenarios.__main__ import main
from scenarios.comparison import model
from scenarios.comparison.advice import advice, requests_per_day
from scenarios.comparison.compare import Result, Run, watch_run
from scenarios.comparison.figures import figures_of
from scenarios.comparison.observation import Observation
from scenarios.comparison.page import page_of
from scenarios.comparison.ranking import dominated_by
from scenarios.comparison.simulated import observe_simulated
from scenarios.comparison.strategies import NEVER_S, STRATEGIES, Strategy
from scenarios.comparison.weather import Weather, weather_named
from scenarios.comparison.workload import Workload

BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}
PAYMENTS = 40


def _run(name: str, faults: str, payments: int = PAYMENTS, seed: int = 1) -> Result:
    workload = Workload(payments, seed)
    return watch_run(Run(BY_NAME[name], workload, weather_named(faults, workload.window_s)))


@pytest.fixture(scope="module")
def calm() -> dict[str, Result]:
    return {name: _run(name, "calm") for name in BY_NAME}


def test_fixed_polling_is_late_by_half_its_interval_and_costs_what_arithmetic_says(calm) -> None:
    for name, interval_s in (("polling 5 s", 5), ("polling 15 s", 15)):
        result = calm[name]
        low, high = result.predicted.staleness_error["mean"]
        assert low < interval_s / 2 < high, "the model is the textbook's"
        assert low < result.measured.staleness.mean < high
        expected = result.predicted.requests_per_payment
        assert result.measured.requests.total == pytest.approx(expected, rel=0.05)


def test_in_calm_weather_no_strategy_differs_from_its_model(calm) -> None:
    for result in calm.values():
        assert not result.differences, result.strategy.name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_few_payments_are_predicted_by_their_own_times_and_not_by_the_average(seed) -> None:
    for name in ("polling 5 s", "polling 15 s", "polling 30 s", "event log 5 s"):
        result = _run(name, "calm", 10, seed)
        assert result.predicted.staleness.mean == pytest.approx(
            result.measured.staleness.mean, abs=0.1
        )
        assert not result.differences


@pytest.mark.parametrize("name", ["polling 15 s", "event log 5 s"])
def test_a_strategy_that_waits_a_fifth_longer_than_it_says_is_told(name) -> None:
    longer = {
        key: value * 1.2
        for key, value in BY_NAME[name].settings.items()
        if key.startswith(("polling_interval", "reconcile_interval")) and value < NEVER_S
    }
    slow = replace(BY_NAME[name], settings={**BY_NAME[name].settings, **longer})

    def observe(_: Strategy, workload: Workload, weather: Weather) -> Observation:
        return observe_simulated(slow, workload, weather)

    workload = Workload(300, 1)
    run = Run(BY_NAME[name], workload, weather_named("calm", workload.window_s))
    differing = watch_run(run, observe).differences
    assert {d.figure for d in differing} >= {"staleness mean"}
    assert all("look into it" in d.why for d in differing)


def test_the_fewer_the_draws_the_further_a_sample_may_lie_from_them() -> None:
    few, many = (
        figures_of([model.Drawn(float(n % 7), 1.0) for n in range(70 * times)], 70, 60.0, 0.0, 0.0)
        for times in (1, 20)
    )
    assert few.staleness == many.staleness
    assert few.staleness_error["mean"][1] > many.staleness_error["mean"][1]
    assert few.staleness_error["p50"][0] <= many.staleness_error["p50"][0]


def test_every_request_is_useful_wasted_unchanged_or_failed(calm) -> None:
    polled = calm["polling 5 s"].measured.requests
    assert polled.useful == 1.0
    assert polled.not_modified > polled.wasted > 0
    assert polled.failed == 0
    assert polled.total == pytest.approx(polled.useful + polled.wasted + polled.not_modified)


def test_the_busiest_seconds_are_never_below_the_mean(calm) -> None:
    for name, result in calm.items():
        assert result.measured.api_per_second_peak >= result.measured.api_per_second, name
    stream = calm["event stream"].measured
    assert stream.api_per_second_peak == pytest.approx(1 / 20, rel=0.01), "it is opened once"


def test_connections_held_are_arrivals_times_time_held(calm) -> None:
    """Little's law: some payments are still open when the last customer has come."""
    held = calm["long polling"]
    assert held.measured.held_mean == pytest.approx(held.predicted.held_mean, rel=0.5)
    assert calm["event stream"].measured.held_mean == 1
    assert calm["webhooks"].measured.held_mean == 0


def test_the_same_seed_gives_the_same_figures_and_another_seed_gives_others() -> None:
    once, again, other = (_run("webhooks", "flaky", 20, seed).measured for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_an_outage_breaks_off_what_is_held_open_and_reconciliation_recovers_from_it() -> None:
    stream = _run("event stream", "blackout", 30)
    assert stream.measured.staleness.max > 30, "events of the outage came after it"
    assert stream.measured.unresolved == 0
    alone, with_questions = (
        _run(name, "blackout", 30).measured for name in ("webhooks", "webhooks + reconciliation")
    )
    assert with_questions.staleness.mean < alone.staleness.mean
    assert set(with_questions.sources) > {"webhook"}


def test_who_dominates_whom_and_what_to_choose_follow_from_the_figures(calm) -> None:
    results = list(calm.values())
    dominated = dominated_by(results)
    # The event log's p95 against polling's is a matter of chance: both are late by a uniform draw.
    assert {"webhooks", "event stream"} <= {*dominated["polling 5 s"], *dominated["polling 15 s"]}
    assert dominated["event stream"] == []
    text = advice(results)
    assert "webhooks" in text
    reversed_text = advice([calm["polling 5 s"], calm["polling 15 s"]])
    assert "should take polling 5 s" in reversed_text


def test_costs_grow_with_the_payments_unless_they_are_background(calm) -> None:
    polled = calm["polling 5 s"]
    assert requests_per_day(polled, 10_000_000) == pytest.approx(
        10 * requests_per_day(polled, 1_000_000), rel=0.01
    )
    log = calm["event log 5 s"]
    assert requests_per_day(log, 1_000) == requests_per_day(log, 10_000)


def test_a_figure_that_the_model_gets_wrong_is_told_with_a_reason(monkeypatch) -> None:
    def half(strategy: Strategy, *arguments: object) -> list[model.Drawn]:
        return [model.Drawn(1.0, 1.0)] * 10

    monkeypatch.setattr(model, "predict", half)
    differing = _run("polling 15 s", "calm", 20).differences
    assert {d.figure for d in differing} >= {"staleness mean", "requests per payment"}
    assert all(d.why for d in differing)


def test_the_page_needs_nothing_from_anywhere_and_names_its_own_scripts(calm) -> None:
    page = page_of(list(calm.values()), [], {"payments": 60, "seed": 1, "advice": "a < b"})
    assert "default-src 'none'; script-src 'sha256-" in page
    assert "a &lt; b" in page
    head = page[: page.index("<body>")]
    assert "http://" not in head
    assert "https://" not in head


def test_the_command_writes_the_contracts_keys(tmp_path, capsys) -> None:
    path = tmp_path / "compare.html"
    words = ["compare", "--payments", "10", "--faults", "calm", "--json", "-", "--jobs", "1"]
    assert main([*words, "--html", str(path)]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert set(document) >= {"payments", "faults", "strategies"}
    assert len(document["strategies"]) >= 8
    for strategy in document["strategies"]:
        assert set(strategy) >= {
            "name",
            "requests_per_payment",
            "wasted_percent",
            "staleness_seconds",
            "unresolved",
            "predicted",
        }
        assert set(strategy["staleness_seconds"]) >= {"p50", "p95", "p99", "max"}
    assert path.stat().st_size > 1_000_000
    assert "What to choose" in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--faults", "mist"], "'mist' is not known"),
        (["--faults", ""], "'' is not known"),
        (["--payments", "3"], "--payments 3 is not from 10"),
        (["--payments", "0"], "--payments 0 is not from 10"),
    ],
)
def test_wrong_usage_is_one_line(words, said, capsys) -> None:
    assert main(["compare", *words]) == 2
    assert said in capsys.readouterr().err
