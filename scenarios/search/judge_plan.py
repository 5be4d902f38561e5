"""From a plan to what came of it: which promises broke, which faults fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scenarios.errors import ServiceBroke, Unreachable
from scenarios.evidence import Evidence
from scenarios.invariants import INVARIANTS
from scenarios.run_suite import services_quiet
from scenarios.search.plan import Plan
from scenarios.targets.simulated import Simulated, simulate
from scenarios.world.errors import WorldError

# Beside the invariants: what a run can do that no invariant's name covers.
CAME_TO_REST = "came_to_rest"
NO_BUG = "no_exception"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``broken`` maps invariants to their first violation; ``fired`` counts fault by fault."""

    broken: Mapping[str, str]
    fired: Sequence[int] = ()
    simulated_s: float = 0.0
    evaluated: Mapping[str, int] = field(default_factory=dict)


def play_plan(plan: Plan, shop: str) -> Outcome:
    """Play a plan in virtual time. Raises WrongUsage for a plan that is not valid."""
    outcome, done = play_and_keep(plan, shop)
    if done is not None:
        done.world.close()
    return outcome


def play_and_keep(plan: Plan, shop: str) -> tuple[Outcome, Simulated | None]:
    """Play a plan and keep its world; None where the run ended without evidence."""
    try:
        with services_quiet():
            done = simulate(plan.scenario, plan.seed, shop)
    except ServiceBroke as problem:
        return Outcome({NO_BUG: str(problem)}), None
    except (Unreachable, WorldError) as problem:
        return Outcome({CAME_TO_REST: f"{type(problem).__name__}: {problem}"}), None
    return _judged(done.evidence, done.world.loop.time()), done


def _judged(evidence: Evidence, simulated_s: float) -> Outcome:
    broken: dict[str, str] = {}
    evaluated: dict[str, int] = {}
    for invariant in INVARIANTS.values():
        finding = invariant.check(evidence)
        evaluated[invariant.name] = finding.evaluated
        if finding.violations:
            broken[invariant.name] = finding.violations[0]
    if not broken and evidence.orders and evidence.still_waiting_for:
        broken[CAME_TO_REST] = evidence.still_waiting_for
    return Outcome(broken, [fault.fired for fault in evidence.fired], simulated_s, evaluated)
