"""A failure as a story: what was played, what broke, where it parts from a run that held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from psp_sim.domain.duration import format_duration
from scenarios.invariants import INVARIANTS
from scenarios.mutants import CORRECT
from scenarios.report.timeline import TimelineStep, written_moment
from scenarios.search.judge_plan import CAME_TO_REST, NO_BUG, play_and_keep
from scenarios.search.plan import Plan
from scenarios.search.timeline_of import timeline_of
from scenarios.vocabulary import ALL_FAULTS

_PROMISES = {
    CAME_TO_REST: "After everything is healed, shop and provider come to rest and agree.",
    NO_BUG: "Neither service lets an exception out.",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to tell of one failure; ``steps`` are for the diagrams."""

    sentences: Sequence[str]
    steps: Sequence[TimelineStep]

    @property
    def text(self) -> str:
        """The story as one paragraph."""
        return " ".join(self.sentences)


def promise_of(invariant: str) -> str:
    """Return an invariant's promise in one sentence."""
    known = INVARIANTS.get(invariant)
    return known.promise if known else _PROMISES.get(invariant, invariant)


def tell(plan: Plan, invariant: str, shop: str) -> Story:
    """Play a failing plan once more, and its neighbours, and put into words what happened."""
    outcome, done = play_and_keep(plan, shop)
    steps = timeline_of(done) if done is not None else []
    message = outcome.broken.get(invariant, "it held this time")
    if done is not None and steps:
        at_s = max(step.at_s for step in steps)
        steps.append(TimelineStep(at_s, "shop", None, f"broken: {invariant}", "broken"))
    sentences = [
        _opening(plan, shop),
        *(f"Fault {n}: {describe(fault)}." for n, fault in enumerate(plan.faults, start=1)),
        f"Then {message}.",
        f'The promise that broke: "{promise_of(invariant)}"',
        *_difference(plan, invariant, shop, steps),
    ]
    return Story(sentences, steps)


def describe(fault: Mapping[str, Any]) -> str:
    """Return a fault in plain words: its kind, where it is aimed, and what its victim sees."""
    return f"{aimed(fault)}, {ALL_FAULTS[str(fault['kind'])].sees}"


def aimed(fault: Mapping[str, Any]) -> str:
    """Return a fault's kind and where it is aimed."""
    kind = str(fault["kind"])
    rest = {key: value for key, value in fault.items() if key != "kind"}
    at = rest.pop("at", None)
    words = [f"{key} {value}" for key, value in rest.items()]
    if isinstance(at, Mapping):
        path = f" of {at['path']}" if at.get("path") else ""
        words.insert(0, f"{at.get('when', 'before')} {at['site']} {at.get('nth', 1)}{path}")
    return f"{kind} ({', '.join(words)})" if words else kind


def _opening(plan: Plan, shop: str) -> str:
    scenario = plan.scenario
    orders = "One customer buys" if scenario.orders == 1 else f"{scenario.orders} customers buy"
    tracking = scenario.shop.get("tracking", "webhooks+reconciliation")
    count = _NUMBERS[len(plan.faults)] if len(plan.faults) < len(_NUMBERS) else len(plan.faults)
    steps = "".join(
        f", {step.do.replace('_', ' ')} at {format_duration(step.at_s)}" for step in scenario.steps
    )
    faults = "fault" if len(plan.faults) == 1 else "faults"
    return f"{orders} at the shop `{shop}` (tracking {tracking}{steps}), with {count} {faults}."


def _difference(plan: Plan, invariant: str, shop: str, steps: Sequence[TimelineStep]) -> list[str]:
    """Say where the run parts from the nearest one that kept the promise, if there is one."""
    best: tuple[int, str, Sequence[TimelineStep]] | None = None
    for name, neighbour, other_shop in _neighbours(plan, shop):
        outcome, done = play_and_keep(neighbour, other_shop)
        if done is None or invariant in outcome.broken:
            continue
        other = timeline_of(done)
        alike = _alike(steps, other)
        if best is None or alike > best[0]:
            best = (alike, name, other)
    if best is None:
        return []
    alike, name, held = best
    here = _step_text(steps[alike]) if alike < len(steps) else "nothing more happens"
    there = _step_text(held[alike]) if alike < len(held) else "nothing more happens"
    return [f"{name} the promise holds. The first difference: here {here}; there {there}."]


def _neighbours(plan: Plan, shop: str) -> list[tuple[str, Plan, str]]:
    without = [
        (
            f"Without fault {index + 1}",
            plan.with_faults([*plan.faults[:index], *plan.faults[index + 1 :]]),
            shop,
        )
        for index in range(len(plan.faults))
    ]
    return without or ([("On the correct shop", plan, CORRECT)] if shop != CORRECT else [])


def _alike(steps: Sequence[TimelineStep], held: Sequence[TimelineStep]) -> int:
    for index, (one, other) in enumerate(zip_longest(steps, held)):
        if one is None or other is None or _without_time(one) != _without_time(other):
            return index
    return len(steps)


def _without_time(step: TimelineStep) -> tuple[object, ...]:
    # The name of a fault in brackets is our remark; what was said is what comes before it.
    said = step.text.partition(" (")[0]
    return (step.source, step.target, said, step.is_answer, step.arrives)


def _step_text(step: TimelineStep) -> str:
    at = written_moment(step.at_s)
    if step.target is None:
        return f"at {at} {step.source}: {step.text}"
    verb = "answers" if step.is_answer else "tells"
    return f"at {at} {step.source} {verb} {step.target}: {step.text}"
