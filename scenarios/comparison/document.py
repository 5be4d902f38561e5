"""The comparison as JSON; the keys are a contract that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scenarios.comparison.advice import PER_DAY_GROWTH, advice, live_check, requests_per_day
from scenarios.comparison.compare import Result
from scenarios.comparison.figures import Predicted
from scenarios.comparison.ranking import dominated_by


def comparison_document(
    results: Sequence[Result], live: Sequence[Result], seed: int, target: str
) -> dict[str, Any]:
    """Return all figures: those of the first weather on top, every weather under ``weathers``.

    What was seen over real HTTP, if anything, is under ``live``.
    """
    weathers = _weathers(results)
    return {
        "payments": results[0].measured.payments,
        "seed": seed,
        "target": target,
        "faults": weathers[0]["faults"],
        "strategies": weathers[0]["strategies"],
        "weathers": weathers,
        "advice": advice(results),
        **({"live": _weathers(live), "live_check": live_check(results, live)} if live else {}),
    }


def _weathers(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [
        {
            "faults": name,
            "meaning": of_weather[0].weather.meaning,
            "strategies": _strategies(of_weather),
        }
        for name, of_weather in by_weather(results).items()
    ]


def by_weather(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the results of each weather, in order."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.weather.name, []).append(result)
    return found


def _strategies(results: Sequence[Result]) -> list[dict[str, Any]]:
    dominated = dominated_by(results)
    return [_strategy(result, dominated[result.strategy.name]) for result in results]


def _strategy(result: Result, dominated: list[str]) -> dict[str, Any]:
    measured = result.measured
    return {
        "name": result.strategy.name,
        "meaning": result.strategy.meaning,
        "requests_per_payment": round(measured.requests.total, 4),
        "useful_per_payment": round(measured.requests.useful, 4),
        "wasted_per_payment": round(measured.requests.wasted, 4),
        "not_modified_per_payment": round(measured.requests.not_modified, 4),
        "failed_per_payment": round(measured.requests.failed, 4),
        "wasted_percent": round(measured.requests.wasted_percent, 2),
        "background_requests_per_hour": round(measured.background_per_hour, 2),
        "connections_held": {"mean": round(measured.held_mean, 3), "max": measured.held_max},
        "provider_requests_per_second": {
            "mean": round(measured.api_per_second, 4),
            "peak": round(measured.api_per_second_peak, 4),
        },
        "webhooks_per_second": round(measured.webhooks_per_second, 4),
        "staleness_seconds": measured.staleness.as_json(),
        "unresolved": measured.unresolved,
        "learnt_by": dict(measured.sources),
        "predicted": _predicted(result.predicted),
        "differences": [
            {"figure": d.figure, "measured": d.measured, "predicted": d.predicted, "why": d.why}
            for d in result.differences
        ],
        "dominated_by": dominated,
        "requests_per_day": {str(n): round(requests_per_day(result, n)) for n in PER_DAY_GROWTH},
    }


def _predicted(predicted: Predicted) -> dict[str, Any]:
    return {
        "requests_per_payment": round(predicted.requests_per_payment, 4),
        "staleness_seconds": predicted.staleness.as_json(),
        "connections_held": round(predicted.held_mean, 3),
        "sampling_error": {
            "requests_per_payment": round(predicted.requests_error, 4),
            "staleness_mean_seconds": round(
                predicted.staleness_error["mean"][1] - predicted.staleness.mean, 4
            ),
        },
    }
