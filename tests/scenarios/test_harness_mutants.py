"""The harness itself is broken, one seam at a time, and what it says turns red each time.

A harness that cannot notice that it does nothing would call every shop correct.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

import psp_sim.deliver_events
import psp_sim.domain.outgoing
import psp_sim.http_operation
import scenarios.run_suite
from psp_sim.domain.attempt_plan import AttemptPlan
from psp_sim.fault_book import FaultBook
from scenarios.errors import HarnessError
from scenarios.invariants import INVARIANTS, Finding
from scenarios.marks import doubts_of, sum_of
from scenarios.mutants import CORRECT
from scenarios.run_suite import SIMULATED, Task, run_task
from scenarios.scenario_files import select
from scenarios.targets.world_control import CountedRules
from scenarios.verdict import InvariantResult, Verdict, combine
from scenarios.warehouse import Warehouse
from scenarios.world import WorldError
from scenarios.world.disk import Disk
from scenarios.world.hosts import Host
from scenarios.world.incarnation import Incarnation
from scenarios.world.rules import Pass
from scenarios.world.world import World
from tests.scenarios.marks.test_marks import SOMEWHERE

Break = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class HarnessMutant:
    """``must_catch`` is a shop that the scenario catches, and ``mark`` one that it hits."""

    name: str
    scenario: str
    spoil: Break
    complaint: str
    must_catch: str | None = None
    mark: str | None = None


def complaints(scenario_name: str, must_catch: str | None, mark: str | None) -> list[str]:
    """Return what ``run`` and ``matrix`` would say against this part of the suite."""
    (scenario,) = select([scenario_name])
    try:
        run = run_task(Task(scenario, 1, SIMULATED, CORRECT))
    except (HarnessError, WorldError) as problem:
        return [f"could not be played: {problem}"]
    result = combine(scenario, [run], run.digest)
    said = [f"false alarm: {r.message}" for r in result.invariants if r.verdict is Verdict.BROKEN]
    said += [f"unproven: {reason}" for reason in result.reasons]
    if mark is not None:
        said += [each for each in doubts_of(sum_of([run.marks])) if f"({mark})" in each]
    if must_catch is not None:
        caught = combine(scenario, [run_task(Task(scenario, 1, SIMULATED, must_catch))], None)
        said += [f"survived: {must_catch}"] * (caught.verdict is not Verdict.BROKEN)
    return said


def _plan(**spoilt: Any) -> Break:
    """Spoil what the provider makes of the faults that fired; it counts them all the same."""
    original = psp_sim.deliver_events.plan_attempt

    def plan(*arguments: Any) -> AttemptPlan:
        made = original(*arguments)
        return replace(made, **{name: change(made) for name, change in spoilt.items()})

    return lambda patch: patch.setattr(psp_sim.deliver_events, "plan_attempt", plan)


def _replaced(owner: Any, name: str, by: Any) -> Break:
    return lambda patch: patch.setattr(owner, name, by)


def _check(name: str, finding: Finding | None) -> Break:
    """Let an invariant find nothing; None: it counts its cases and lets every one pass."""
    honest = INVARIANTS[name]

    def check(evidence: Any) -> Finding:
        return finding or Finding(honest.check(evidence).evaluated)

    return lambda patch: patch.setitem(INVARIANTS, name, replace(honest, check=check))


async def _forget_to_heal(_: World) -> None:
    """Leave every crashed host down and every rule in force."""


def _counts_only(self: CountedRules, message: object) -> Pass:
    self.acted += 1
    return Pass()


async def _take_no_note(self: Warehouse, request: Any) -> Any:
    kept = list(self.shipments)
    answer = await _TAKE(self, request)
    self.shipments[:] = kept
    return answer


_TAKE = Warehouse._take


def _answer_all_the_same(patch: pytest.MonkeyPatch) -> None:
    """Strike with ``lose_response``, count it, and let the answer through."""
    original = psp_sim.http_operation._strike

    async def strike(*arguments: Any) -> Any:
        moment, hits = await original(*arguments)
        return moment, [hit for hit in hits if hit[1].kind != "lose_response"]

    patch.setattr(psp_sim.http_operation, "_strike", strike)


async def _lift_nothing(*_: object) -> int:
    """Say that the faults are lifted, and leave them in force."""
    return 1


def _judge_kindly(evidence: Any, not_shown: Any = ()) -> list[InvariantResult]:
    """Evaluate everything, and overlook what broke."""
    return [
        replace(result, verdict=Verdict.HELD, violations=())
        for result in _JUDGE(evidence, not_shown)
    ]


_JUDGE = scenarios.run_suite.judge


BROKEN_HARNESSES = [
    HarnessMutant(
        "a duplicate that comes once",
        "duplicated_webhooks",
        _plan(copies=lambda plan: plan.copies[:1]),
        "it never happened that the shop took the same event at least three times",
        mark="event_came_three_times",
    ),
    HarnessMutant(
        "a drop that does not drop",
        "lost_webhooks",
        _plan(is_lost=lambda _: False),
        "survived: no_reconciliation",
        must_catch="no_reconciliation",
    ),
    HarnessMutant(
        "a delay that does not delay",
        "secret_rotation",
        _plan(hold_s=lambda _: 0.0, network_s=lambda _: 0.0),
        "survived: newest_secret_only",
        must_catch="newest_secret_only",
        mark="signed_before_rotation",
    ),
    HarnessMutant(
        "a stale timestamp that is fresh",
        "replayed_webhooks",
        _plan(timestamp_shift_s=lambda _: 0.0),
        "unproven: forgeries_are_refused was never put to the test",
    ),
    HarnessMutant(
        "a corrupt signature that fits",
        "forged_signatures",
        _replaced(psp_sim.domain.outgoing, "altered", lambda signature: signature),
        "false alarm: a webhook with corrupt_signature (payment.processing) was answered 200",
    ),
    HarnessMutant(
        "a lost answer that arrives",
        "lost_answers",
        _answer_all_the_same,
        "it never happened that a payment was made, and the answer that says so never reached",
        must_catch="new_key_per_retry",
        mark="answer_lost_after_commit",
    ),
    HarnessMutant(
        "a partition that only counts",
        "network_partition",
        _replaced(CountedRules, "on_message", _counts_only),
        "it never happened that the network swallowed a message",
        must_catch="timeout_is_failure",
        mark="message_swallowed",
    ),
    HarnessMutant(
        "a crash that kills nobody",
        "crash_before_answer",
        _replaced(Host, "crash", lambda *_, **__: None),
        "survived: dedupe_in_memory",
        must_catch="dedupe_in_memory",
    ),
    HarnessMutant(
        "a crash that is told of and kills nobody",
        "crash_before_answer",
        _replaced(Host, "crash", lambda *_, **__: None),
        "it never happened that a process died after it had stored",
        mark="crash_between_commit_and_response",
    ),
    HarnessMutant(
        "a dead process that goes on",
        "crash_after_answer",
        _replaced(Incarnation, "fence", lambda _: None),
        "survived: acknowledge_before_storing",
        must_catch="acknowledge_before_storing",
    ),
    HarnessMutant(
        "a rollback that is skipped at a crash",
        "crash_while_processing",
        _replaced(Disk, "crash", lambda *_: None),
        "could not be played: crash_while_processing (seed 1): the final reads failed",
    ),
    HarnessMutant(
        "a power cut that loses nothing",
        "power_cut",
        _replaced(Disk, "cache_commits", lambda *_: None),
        "survived: no_reconciliation",
        must_catch="no_reconciliation",
    ),
    HarnessMutant(
        "a pause in which all goes on",
        "paused_shop",
        _replaced(Host, "pause", lambda *_, **__: None),
        "it never happened that a process was called while it stood still",
        mark="called_while_standing_still",
    ),
    HarnessMutant(
        "a heal that is forgotten",
        "dead_until_restarted",
        _replaced(World, "heal", _forget_to_heal),
        "could not be played: dead_until_restarted (seed 1): the final reads failed",
    ),
    HarnessMutant(
        "faults that are lifted in words only",
        "unreachable_until_healed",
        _replaced(FaultBook, "lift", _lift_nothing),
        "unproven: it did not come to rest",
    ),
    HarnessMutant(
        "a warehouse that takes no note",
        "calm",
        _replaced(Warehouse, "_take", _take_no_note),
        "and never reached the warehouse",
    ),
    HarnessMutant(
        "an invariant that evaluates nothing",
        "forged_signatures",
        _check("forgeries_are_refused", Finding(0)),
        "unproven: forgeries_are_refused was never put to the test",
    ),
    HarnessMutant(
        "an invariant that is always true",
        "forged_signatures",
        _check("forgeries_are_refused", None),
        "survived: no_signature_check",
        must_catch="no_signature_check",
    ),
    HarnessMutant(
        "a verdict that overlooks what broke",
        "duplicated_webhooks",
        _replaced(scenarios.run_suite, "judge", _judge_kindly),
        "survived: no_dedupe",
        must_catch="no_dedupe",
    ),
]


@pytest.fixture(params=BROKEN_HARNESSES, ids=lambda each: each.name)
def mutant(request) -> HarnessMutant:
    return request.param


def test_a_broken_harness_is_noticed(mutant: HarnessMutant, monkeypatch) -> None:
    """And by no accident: other tests show the same parts green while the harness is whole."""
    mutant.spoil(monkeypatch)
    said = complaints(mutant.scenario, mutant.must_catch, mutant.mark)
    assert any(mutant.complaint in each for each in said), said


def test_what_a_broken_harness_misses_is_what_a_whole_one_shows(mutant: HarnessMutant) -> None:
    """The pairs are those of the catalogue, and the marks those that their scenarios must hit."""
    (scenario,) = select([mutant.scenario])
    assert mutant.must_catch in (None, *scenario.catches)
    assert mutant.mark is None or SOMEWHERE[mutant.mark] == mutant.scenario


def test_a_whole_harness_has_nothing_to_complain_of() -> None:
    assert complaints("secret_rotation", "newest_secret_only", "signed_before_rotation") == []
