"""A scenario that did not hold, told in sentences, with the command that plays it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psp_sim.domain.duration import format_duration
from scenarios.invariants import INVARIANTS
from scenarios.marks import MarkCount, doubts_of
from scenarios.mutants import CORRECT, MUTANTS
from scenarios.report.order_story import beginning_of, orders_to_tell, steps_of
from scenarios.report.timeline import TimelineStep
from scenarios.verdict import InvariantResult, ScenarioResult, Verdict, overall

VIOLATIONS_MAX = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What a report is about: results, and how they came about.

    ``left_out`` has the scenarios that the target cannot play, with the reason; ``causes`` what is
    known to break a scenario as it was broken; ``marks`` what happened how often. They are judged
    if this ``is_whole``: the catalogue, in virtual time, on the correct shop. A selection need not
    hit all of them.
    """

    results: Sequence[ScenarioResult]
    seeds: str
    target: str
    shop: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    marks: Sequence[MarkCount] = ()
    is_whole: bool = False
    causes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the whole suite."""
        return overall(self.results, self.doubts)

    @property
    def doubts(self) -> list[str]:
        """What keeps the suite as a whole from proving anything, one line each."""
        return doubts_of(self.marks) if self.is_whole else []


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies in one folder with a page: replay files, by scenario; and when they were made."""

    replays: Mapping[str, str]
    made: str


def self_checks(told: Told) -> str:
    """Say in a sentence how the harness looked at itself; nothing where it could not."""
    looks = [look for result in told.results for look in result.second_looks]
    if not looks:
        return ""
    runs = sum(result.runs for result in told.results)
    differed = sum(look.difference is not None for look in looks)
    outcome = f"{differed} of them with another trace" if differed else "each with the same trace"
    # A run that left virtual time has no digest.
    if not differed and all(result.digest for result in told.results):
        outcome += "; nothing reached out of virtual time"
    return f"Played twice: {len(looks)} of {runs} runs, {outcome}."


@dataclass(frozen=True, slots=True)
class OrderStory:
    """One order with its steps; ``number`` counts orders in the order of buying."""

    number: int
    id: str
    steps: Sequence[TimelineStep]


def broken_of(result: ScenarioResult) -> list[InvariantResult]:
    """Return the invariants that did not hold."""
    return [each for each in result.invariants if each.verdict is Verdict.BROKEN]


def sentences(told: Told, result: ScenarioResult, only: InvariantResult | None = None) -> list[str]:
    """Tell what was played, what went wrong (of all, or of one invariant), what that breaks."""
    kinds = ", ".join(f"{kind} ×{n}" for kind, n in result.faults_fired.items() if n)
    lines = [
        f"{_buyers(result)} at {_shop(told.shop)}. Faults in "
        f"{format_duration(result.simulated_s)} of the world's time: {kinds or 'none'}."
    ]
    for broken in broken_of(result) if only is None else [only]:
        lines += [
            f"{violation[:1].upper()}{violation[1:]}."
            for violation in broken.violations[:VIOLATIONS_MAX]
        ]
        if len(broken.violations) > VIOLATIONS_MAX:
            lines.append(f"And {len(broken.violations) - VIOLATIONS_MAX} more like this.")
        lines.append(f"The promise that broke: “{INVARIANTS[broken.name].promise}”")
    if causes := told.causes.get(result.name):
        lines.append(f"Known causes: {'; or '.join(causes)}.")
    if result.reasons and only is None:
        lines.append(f"Not proven: {'; '.join(result.reasons)}.")
    return lines


def order_stories(result: ScenarioResult) -> list[OrderStory]:
    """Return the orders worth telling of, each with its steps; none without evidence."""
    if result.told is None or result.told.evidence is None:
        return []
    evidence = result.told.evidence
    violations = [text for broken in broken_of(result) for text in broken.violations]
    began = beginning_of(evidence)
    return [
        OrderStory(order.number, order.id, steps_of(evidence, order, began))
        for order in orders_to_tell(evidence, violations)
    ]


def replay_command(told: Told, result: ScenarioResult) -> str:
    """Return the command that plays the scenario again, with the seed that broke it."""
    if result.replay is not None:
        return f"psp-scenarios replay {shlex.quote(result.replay)}"
    seed = f" --seed {result.told.seed}" if result.told is not None else ""
    target = "" if told.target == "sim" else f" --target {shlex.quote(told.target)}"
    shop = "" if told.shop == CORRECT else f" --shop {told.shop}"
    return f"psp-scenarios run {shlex.quote(result.name)}{seed}{target}{shop}"


def _buyers(result: ScenarioResult) -> str:
    if result.told is None or result.told.evidence is None:
        return "Customers buy"
    count = len(result.told.evidence.orders)
    return "One customer buys" if count == 1 else f"{count} customers buy"


def _shop(shop: str) -> str:
    if shop == CORRECT:
        return "the shop"
    return f"the shop “{shop}”" if shop in MUTANTS else shop
