"""From a plan that breaks a promise to the smallest one that still breaks the same promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.search.judge_plan import Outcome
from scenarios.search.plan import Plan

Play = Callable[[Plan], Outcome]
RUNS_MAX = 400

# Simpler values, simplest first, for fields of faults.
_SIMPLER: dict[str, Sequence[Any]] = {
    "start": (0,),
    "copies": (2,),
    "spacing": (0,),
    "attempt": (1,),
    "for": ("1s", "5s", "20s"),
    "by": ("1s", "10s", "30s"),
    "probability": (1.0,),
    "nth": (1,),
}
# Fields without which a fault is simpler still.
_OPTIONAL = ("event", "order", "attempt", "times", "probability", "start", "where", "code")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest plan that was found and what it does. ``runs`` is what finding it took.

    ``is_done`` tells that nothing more can be taken away; otherwise a limit was met before.
    """

    plan: Plan
    outcome: Outcome
    runs: int
    is_done: bool = True


def _never() -> bool:
    return False


def shrink(
    plan: Plan,
    invariant: str,
    play: Play,
    runs_max: int = RUNS_MAX,
    is_time_over: Callable[[], bool] = _never,
) -> Shrunk:
    """Take away whatever can be taken away, again and again, until nothing more can.

    A candidate counts only if it breaks ``invariant``: shrinking must not slip to another failure.
    Before each one it is asked whether there is time left: a plan of many hours takes minutes.
    """
    runs, is_done = 0, False
    seen: set[str] = {plan.key}
    outcome = play(plan)
    while not is_done:
        is_done = True
        for candidate in _candidates(plan, outcome):
            if candidate.key in seen:
                continue
            if runs >= runs_max or is_time_over():
                return Shrunk(plan, outcome, runs, is_done=False)
            seen.add(candidate.key)
            runs += 1
            found = play(candidate)
            if invariant in found.broken:
                plan, outcome, is_done = candidate, found, False
                break
    return Shrunk(plan, outcome, runs)


def _candidates(plan: Plan, outcome: Outcome) -> Iterator[Plan]:
    """Yield smaller plans, those that take away most first."""
    yield from _without_idle_faults(plan, outcome)
    yield from _without_halves(plan)
    yield from _with_fewer_orders(plan)
    yield from _with_simpler_setting(plan)
    for index, fault in enumerate(plan.faults):
        for simpler in _simpler_faults(fault):
            yield plan.with_faults([*plan.faults[:index], simpler, *plan.faults[index + 1 :]])


def _without_idle_faults(plan: Plan, outcome: Outcome) -> Iterator[Plan]:
    acted = [fault for fault, fired in zip(plan.faults, outcome.fired, strict=False) if fired]
    if outcome.fired and len(acted) < len(plan.faults):
        yield plan.with_faults(acted)


def _without_halves(plan: Plan) -> Iterator[Plan]:
    """Yield the plan without each half, each quarter … each single one of its faults."""
    size = (len(plan.faults) + 1) // 2
    while size:
        for start in range(0, len(plan.faults), size):
            yield plan.with_faults([*plan.faults[:start], *plan.faults[start + size :]])
        size //= 2


def _with_fewer_orders(plan: Plan) -> Iterator[Plan]:
    for orders in (1, 2, plan.orders // 2, plan.orders - 1):
        if 1 <= orders < plan.orders:
            yield _with(plan, {**plan.setting, "orders": orders})


def _with_simpler_setting(plan: Plan) -> Iterator[Plan]:
    for key, value in plan.setting.items():
        if key == "orders":
            continue
        rest = {name: each for name, each in plan.setting.items() if name != key}
        yield _with(plan, rest)
        if isinstance(value, Mapping):
            for inner in value:
                yield _with(plan, {**rest, key: {k: v for k, v in value.items() if k != inner}})
        elif isinstance(value, list):
            for index in range(len(value)):
                yield _with(plan, {**rest, key: value[:index] + value[index + 1 :]})


def _simpler_faults(fault: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key in _OPTIONAL:
        if key in fault:
            yield {name: value for name, value in fault.items() if name != key}
    yield from _simpler_values(fault)
    at = fault.get("at")
    if isinstance(at, Mapping):
        if at.get("when") == "after":
            yield {**fault, "at": {**at, "when": "before"}}
        yield from ({**fault, "at": {**at, "nth": nth}} for nth in range(1, at.get("nth", 1)))


def _simpler_values(fault: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, values in _SIMPLER.items():
        if key not in fault:
            continue
        # Only what comes before the present value is simpler; another one may be anything.
        known = values.index(fault[key]) if fault[key] in values else len(values)
        yield from ({**fault, key: value} for value in values[:known])


def _with(plan: Plan, setting: Mapping[str, Any]) -> Plan:
    return Plan(plan.seed, setting, plan.faults)
