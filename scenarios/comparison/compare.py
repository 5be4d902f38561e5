"""Every strategy through every weather, on all cores: figures, predictions and what they teach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from scenarios.comparison import model
from scenarios.comparison.differences import Difference, differences
from scenarios.comparison.figures import Measured, Predicted, figures_of, measure, staleness_of
from scenarios.comparison.observation import Observation
from scenarios.comparison.simulated import observe_simulated
from scenarios.comparison.strategies import STRATEGIES, Strategy
from scenarios.comparison.weather import Weather, weather_named
from scenarios.comparison.workload import Workload
from scenarios.run_on_processes import on_processes
from scenarios.run_suite import services_quiet

DEFAULT_PAYMENTS = 1000
DEFAULT_FAULTS = ("calm", "flaky", "blackout")
_CURVE_POINTS = 200
_TIMELINE_STEPS = 120
_LOOK_ON = 1.25
# How far a round trip's chance, and a real machine's own time, can set two runs apart.
ROUND_TRIP_S = 0.01
REAL_TIME_S = 0.05
# What SETTLE_AFTER comes to on average.
_SETTLES_AFTER_S = 41.0

Observe = Callable[[Strategy, Workload, Weather], Observation]


@dataclass(frozen=True, slots=True)
class Run:
    """One strategy in one weather, to be watched."""

    strategy: Strategy
    workload: Workload
    weather: Weather


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run.

    ``busy_s`` is how long customers came; ``curve`` the staleness at evenly spaced shares of the
    payments; ``unknown`` how many outcomes the shop did not know yet, as (second, count).
    Who is apart by less than ``resolution_s`` is equally late.
    """

    strategy: Strategy
    weather: Weather
    measured: Measured
    predicted: Predicted
    differences: tuple[Difference, ...] = ()
    busy_s: float = 0.0
    curve: tuple[float, ...] = ()
    unknown: tuple[tuple[float, int], ...] = field(default=())
    resolution_s: float = ROUND_TRIP_S


def watch_run(run: Run, observe: Observe = observe_simulated) -> Result:
    """Watch one run and put the model beside it."""
    with services_quiet():
        observation = observe(run.strategy, run.workload, run.weather)
    return judge(run, observation)


def judge(run: Run, observation: Observation, time_scale: float = 1.0) -> Result:
    """Return the figures of what was seen, beside the model's for the very same payments."""
    strategy, weather = run.strategy, run.weather
    payments = [model.Payment(p.placed_s, p.settled_s) for p in observation.payments]
    predicted = figures_of(
        model.predict(strategy, payments, weather, run.workload.seed, observation.shop_started_s),
        len(payments),
        observation.busy_s,
        model.background_requests(strategy, observation.ended_s),
        float(strategy.kind == "event-stream"),
    )
    measured = measure(observation, strategy.background)
    ordered = staleness_of(observation)
    step = max(len(ordered) // _CURVE_POINTS, 1)
    return Result(
        strategy,
        weather,
        measured,
        predicted,
        tuple(differences(strategy, weather, observation, measured, predicted, time_scale)),
        observation.busy_s,
        tuple(ordered[step - 1 :: step]),
        tuple(_unknown(observation, weather)),
        ROUND_TRIP_S if time_scale == 1.0 else REAL_TIME_S * time_scale,
    )


def _unknown(observation: Observation, weather: Weather) -> Iterator[tuple[float, int]]:
    """Count, through the busy time and the weather's end, what the shop did not know."""
    until_s = max(observation.busy_s, weather.start_s + weather.outage_s) * _LOOK_ON
    for n in range(_TIMELINE_STEPS + 1):
        at_s = until_s * n / _TIMELINE_STEPS
        late = sum(
            p.settled_s <= at_s and (p.learnt_s is None or p.learnt_s > at_s)
            for p in observation.payments
        )
        yield at_s, late


def compare(
    payments: int,
    faults: Sequence[str],
    seed: int,
    jobs: int,
    on_result: Callable[[Result], None],
    strategies: Sequence[Strategy] = STRATEGIES,
) -> list[Result]:
    """Watch every strategy in every weather in virtual time. Raises WrongUsage."""
    workload = Workload(payments, seed)
    weathers = [weather_named(name, workload.window_s) for name in faults]
    runs = [Run(strategy, workload, weather) for weather in weathers for strategy in strategies]
    results = []
    with on_processes(watch_run, jobs, length=_work_of) as watch_all:
        for result in watch_all(runs):
            results.append(result)
            on_result(result)
    return results


def _work_of(run: Run) -> float:
    """Return how much work a run is beside the others, roughly.

    The longest begin first: whoever begins a long one last has all other cores wait for it.
    """
    questions = {
        "polling": _SETTLES_AFTER_S / run.strategy.shop.polling_interval_s,
        "backoff": 6.0,
        "long-polling": 9.0,
        "reconciliation": 4.0,
        "webhooks": 3.0,
    }.get(run.strategy.kind, 1.0)
    return questions + (run.weather.name != "calm")
