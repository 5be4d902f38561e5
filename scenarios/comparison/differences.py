"""Where measured and predicted differ by more than sampling error, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.comparison.figures import Measured, Predicted
from scenarios.comparison.observation import Observation
from scenarios.comparison.strategies import Strategy
from scenarios.comparison.weather import Weather

# A request more or less on every fiftieth payment, or two in a run, are not worth a reason.
REQUESTS_RESOLUTION = 0.02


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure on which the run and the model do not agree."""

    figure: str
    measured: float
    predicted: float
    why: str


def differences(
    strategy: Strategy,
    weather: Weather,
    observation: Observation,
    measured: Measured,
    predicted: Predicted,
    time_scale: float = 1.0,
) -> Iterator[Difference]:
    """Yield what differs by more than sampling error, with the reason that the run shows."""
    why = _why(strategy, weather, observation, time_scale)
    for figure, (low, high) in predicted.staleness_error.items():
        found = getattr(measured.staleness, figure)
        if not low <= found <= high:
            expected = getattr(predicted.staleness, figure)
            yield Difference(f"staleness {figure}", found, expected, why)
    found, expected = measured.requests.total, predicted.requests_per_payment
    if (
        abs(found - expected)
        > predicted.requests_error + REQUESTS_RESOLUTION + 2 / measured.payments
    ):
        yield Difference("requests per payment", found, expected, why)


def _why(strategy: Strategy, weather: Weather, observation: Observation, time_scale: float) -> str:
    """Name what the run did that the model leaves out, with how often it did."""
    reasons = list(_reasons(strategy, weather, observation))
    if time_scale != 1.0:
        reasons.append(
            f"a real machine takes its own time to work, and each of its milliseconds counts as "
            f"{time_scale:g} here"
        )
    return "; ".join(reasons) or "nothing that the model leaves out was seen: look into it"


def _reasons(strategy: Strategy, weather: Weather, observation: Observation) -> Iterator[str]:
    kinds = observation.by_kind
    failed = sum(one.failed for one in kinds.values())
    by_log = sum(p.source == "event-log" for p in observation.payments)
    if strategy.kind == "reconciliation" and by_log:
        yield f"the event log, which the model leaves out, told {by_log} outcomes first"
    if strategy.kind in ("reconciliation", "webhooks") and weather.faults:
        accepted = "the model sends every event by itself; the provider counts its attempts"
        yield f"{accepted}, and repeats, per payment and delivery ({_fired(observation)})"
    if strategy.kind == "event-stream" and failed:
        yield (
            f"the stream could not be opened {failed} times, and each try waits longer; "
            "the model has outages only"
        )
    if strategy.kind in ("polling", "backoff", "event-log", "long-polling") and failed:
        yield (
            f"{failed} questions failed, some after {strategy.shop.psp_timeout_s:g} s of silence, "
            "which moves the next one; the model's fail at once"
        )
    by_reference = sum(p.source == "provider" for p in observation.payments)
    if by_reference:
        yield f"{by_reference} payments had settled when their request was answered at last"


def _fired(observation: Observation) -> str:
    fired = ", ".join(f"{kind} ×{n}" for kind, n in observation.fired.items() if n)
    return fired or "no fault fired"
