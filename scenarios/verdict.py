"""From evidence to a verdict: held, broken, or unproven, which is not green."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from psp_sim.domain.duration import format_duration
from scenarios.evidence import Evidence
from scenarios.invariants import INVARIANTS, Violation
from scenarios.scenario import Scenario
from scenarios.second_look import SecondLook
from scenarios.situations import SITUATIONS


class Verdict(StrEnum):
    """What a run says about a promise."""

    HELD = "held"
    BROKEN = "broken"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class InvariantResult:
    """One invariant in one scenario; ``evaluated`` counts the cases that could have failed.

    ``message`` is one line; ``violations`` are those of one run in full.
    """

    name: str
    verdict: Verdict
    evaluated: int
    message: str | None = None
    violations: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run with one seed; ``evidence`` is there if it was asked for.

    ``marks`` counts what had to happen sometimes; it is empty where nobody could look for it.
    ``never_came`` names situations that the scenario needs and that did not come about.
    ``second_look`` is there if the run was played twice.
    """

    scenario: str
    seed: int
    invariants: Sequence[InvariantResult]
    faults_fired: dict[str, int]
    did_not_converge: str | None
    simulated_s: float
    wall_s: float
    digest: str | None
    trouble: str | None = None
    never_came: Sequence[str] = ()
    evidence: Evidence | None = None
    marks: Mapping[str, int] = field(default_factory=dict)
    trace: Sequence[str] = ()
    second_look: SecondLook | None = None

    @property
    def is_broken(self) -> bool:
        """Whether some invariant did not hold."""
        return any(result.verdict is Verdict.BROKEN for result in self.invariants)


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """All runs of one scenario. ``reasons`` says why it is unproven.

    ``broken_run`` is the first run that broke a promise; ``replay`` the file that plays it again.
    ``told`` is the run to tell about: the first that broke, or the first of all.
    ``second_looks`` has one for each run that was played twice.
    """

    name: str
    summary: str
    verdict: Verdict
    runs: int
    simulated_s: float
    wall_s: float
    invariants: Sequence[InvariantResult]
    faults_fired: dict[str, int]
    digest: str | None
    reasons: Sequence[str] = field(default_factory=tuple)
    replay: str | None = None
    broken_run: RunResult | None = None
    told: RunResult | None = None
    marks: Mapping[str, int] = field(default_factory=dict)
    second_looks: Sequence[SecondLook] = ()


def judge(evidence: Evidence, not_shown: Sequence[str] = ()) -> list[InvariantResult]:
    """Put every invariant to the evidence of one run, but those that the target cannot show."""
    results = []
    for invariant in INVARIANTS.values():
        if invariant.name in not_shown:
            continue
        finding = invariant.check(evidence)
        violations = [_dated(one, evidence.began_at) for one in finding.in_order_of_time]
        if violations:
            verdict, message = Verdict.BROKEN, _one_line(violations)
        else:
            verdict, message = (Verdict.HELD if finding.evaluated else Verdict.UNPROVEN), None
        results.append(
            InvariantResult(invariant.name, verdict, finding.evaluated, message, tuple(violations))
        )
    return results


def combine(
    scenario: Scenario, runs: Sequence[RunResult], digest: str | None, replay: str | None = None
) -> ScenarioResult:
    """Sum up the runs: one broken run breaks all; what never happened leaves it unproven."""
    judged = {result.name for run in runs for result in run.invariants}
    invariants = [_combine_invariant(name, runs) for name in INVARIANTS if name in judged]
    fired: Counter[str] = Counter(dict.fromkeys(scenario.fault_kinds, 0))
    for run in runs:
        fired.update(run.faults_fired)
    marks: Counter[str] = Counter()
    for run in runs:
        marks.update(run.marks)
    reasons = _reasons(scenario, runs, invariants, fired)
    if any(result.verdict is Verdict.BROKEN for result in invariants):
        verdict = Verdict.BROKEN
    else:
        verdict = Verdict.UNPROVEN if reasons else Verdict.HELD
    return ScenarioResult(
        name=scenario.name,
        summary=scenario.summary,
        verdict=verdict,
        runs=len(runs),
        simulated_s=sum(run.simulated_s for run in runs),
        wall_s=sum(run.wall_s for run in runs),
        invariants=invariants,
        faults_fired=dict(fired),
        digest=digest,
        reasons=reasons,
        replay=replay,
        broken_run=next((run for run in runs if run.is_broken), None),
        told=next((run for run in runs if run.is_broken), runs[0] if runs else None),
        marks=dict(marks),
        second_looks=_second_looks(runs),
    )


def overall(results: Sequence[ScenarioResult], doubts: Sequence[str] = ()) -> Verdict:
    """Return the verdict on the whole suite: no result at all proves nothing.

    ``doubts`` say what keeps the suite as a whole from proving anything.
    """
    verdicts = [result.verdict for result in results]
    if Verdict.BROKEN in verdicts:
        return Verdict.BROKEN
    is_proven = verdicts and not doubts and Verdict.UNPROVEN not in verdicts
    return Verdict.HELD if is_proven else Verdict.UNPROVEN


def _combine_invariant(name: str, runs: Sequence[RunResult]) -> InvariantResult:
    results = [result for run in runs for result in run.invariants if result.name == name]
    evaluated = sum(result.evaluated for result in results)
    broken = next((result for result in results if result.verdict is Verdict.BROKEN), None)
    if broken is not None:
        return InvariantResult(name, Verdict.BROKEN, evaluated, broken.message, broken.violations)
    return InvariantResult(name, Verdict.HELD if evaluated else Verdict.UNPROVEN, evaluated)


def _reasons(
    scenario: Scenario,
    runs: Sequence[RunResult],
    invariants: Sequence[InvariantResult],
    fired: Counter[str],
) -> list[str]:
    """Say what kept the scenario from proving its promise."""
    trouble = next((run.trouble for run in runs if run.trouble), None)
    if not invariants:
        return [trouble or "nothing could be judged"]
    never_fired = [kind for kind in scenario.fault_kinds if not fired[kind]]
    never_put = [
        result.name
        for result in invariants
        if result.name in scenario.invariants and not result.evaluated
    ]
    seen = [run for run in runs if run.invariants]
    never_came = [name for name in scenario.needs if all(name in run.never_came for run in seen)]
    told = {violation for result in invariants for violation in result.violations}
    left = (run.did_not_converge for run in runs if run.did_not_converge)
    stuck = next((each for each in left if each not in told), None)
    return [
        *([trouble] if trouble else []),
        *(f"the fault {kind} never fired" for kind in never_fired),
        *(f"{name} was never put to the test" for name in never_put),
        *(f"it never happened that {SITUATIONS[name].summary}" for name in never_came),
        *(look.difference for look in _second_looks(runs) if look.difference),
        *([f"it did not come to rest: {stuck}"] if stuck else []),
    ]


def _second_looks(runs: Sequence[RunResult]) -> list[SecondLook]:
    return [run.second_look for run in runs if run.second_look is not None]


def _dated(violation: Violation, began_at: float) -> str:
    """Return the sentence with its moment, counted from the first order, where it has one."""
    if violation.at is None:
        return str(violation)
    return f"{violation} ({format_duration(violation.at - began_at)} after the first order)"


def _one_line(violations: Sequence[str]) -> str:
    rest = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return violations[0] + rest
