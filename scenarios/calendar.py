"""The moments that a scenario names, and whether the time of a world can hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from psp_sim.domain.distribution import Delay
from psp_sim.domain.duration import format_duration
from psp_sim.domain.faults import parse_fault
from scenarios.errors import WrongUsage
from scenarios.scenario import LATE_NEWS, Scenario
from scenarios.service_settings import provider_settings
from scenarios.world.world import LIMIT_S

# A delay that is drawn is never shorter, and hardly ever longer: in one of a thousand draws.
_LEAST_S: dict[str, Callable[[Mapping[str, float]], float]] = {
    "fixed": lambda p: p["value"],
    "uniform": lambda p: p["minimum"],
    "pareto": lambda p: p["minimum"],
}
_MOST_S: dict[str, Callable[[Mapping[str, float]], float]] = {
    "fixed": lambda p: p["value"],
    "uniform": lambda p: p["maximum"],
    "normal": lambda p: p["mean"] + 3 * p["deviation"],
    "lognormal": lambda p: p["median"] * math.exp(min(3 * p["sigma"], 100)),
    "exponential": lambda p: 7 * p["mean"],
    "pareto": lambda p: p["minimum"] * 10 ** min(3 / p["alpha"], 100),
}


def check_calendar(scenario: Scenario) -> None:
    """Refuse what lies past the end of a world's time. Raises WrongUsage."""
    for what, at_s in _moments(scenario):
        if at_s >= LIMIT_S:
            raise WrongUsage(
                f"{what} comes to {format_duration(at_s)}: "
                f"a scenario has less than {format_duration(LIMIT_S)}"
            )


def outcome_within_s(scenario: Scenario) -> float:
    """Return how long after it was made a payment may still change, hardly ever longer."""
    return _course_s(scenario, _most_s)


def _moments(scenario: Scenario) -> Iterator[tuple[str, float]]:
    last_order_at_s = scenario.order_gap_s * (scenario.orders - 1)
    yield "chaos", scenario.chaos_s
    yield "the last of the orders, each order_gap after the one before,", last_order_at_s
    for number, fault in enumerate(scenario.faults, start=1):
        yield f"faults, number {number}: start", fault.start_s
    for number, step in enumerate(scenario.steps, start=1):
        yield f"steps, number {number}: at", step.at_s
    course_s = _course_s(scenario, _least_s)
    yield "the last that becomes of a payment", last_order_at_s + course_s


def _course_s(scenario: Scenario, length_s: Callable[[Delay], float]) -> float:
    """Return how long it takes until nothing more becomes of a payment, or of its refund."""
    settings = provider_settings(scenario.provider)
    settle_s, late_s = length_s(settings.settle_after), length_s(settings.refund_after)
    for fault in scenario.faults:
        if fault.kind not in ("settle_after", *LATE_NEWS):
            continue
        fields = parse_fault(fault.document).fields
        by_s = length_s(fields["by"])
        if fault.kind == "settle_after":
            settle_s = max(settle_s, by_s)
        elif fault.kind == "dispute":
            late_s = max(late_s, by_s + length_s(fields["decided_after"]))
        else:
            late_s = max(late_s, by_s)
    return settle_s + late_s


def _least_s(delay: Delay) -> float:
    measure = _LEAST_S.get(delay.distribution)
    return measure(dict(delay.parameters)) if measure is not None else 0.0


def _most_s(delay: Delay) -> float:
    return _MOST_S[delay.distribution](dict(delay.parameters))
