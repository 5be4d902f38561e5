"""Held, broken, unproven: what each needs, for one run and for many."""

from __future__ import annotations

from scenarios.scenario import Scenario
from scenarios.verdict import InvariantResult, RunResult, Verdict, combine, judge, overall
from scenarios.vocabulary import parse_planned_fault
from tests.scenarios.evidence_of import evidence, order

DROP = parse_planned_fault({"kind": "drop"})
SCENARIO = Scenario("lost", "…", (), ("charged_once",), faults=(DROP,))


def _run(fired: int = 1, stuck: str | None = None, **changes: object) -> RunResult:
    checked = judge(evidence(**changes))
    return RunResult("lost", 1, checked, {"drop": fired}, stuck, 10.0, 0.1, "abc")


def test_a_scenario_holds_when_its_faults_fired_and_its_invariants_were_put_to_the_test() -> None:
    assert combine(SCENARIO, [_run()], "abc").verdict is Verdict.HELD


def test_a_fault_that_never_fired_leaves_a_scenario_unproven() -> None:
    result = combine(SCENARIO, [_run(fired=0)], "abc")
    assert result.verdict is Verdict.UNPROVEN
    assert result.reasons == ["the fault drop never fired"]


def test_an_invariant_that_was_never_put_to_the_test_leaves_a_scenario_unproven() -> None:
    result = combine(SCENARIO, [_run(payments=[], orders=[], shipments=[], ledger=None)], None)
    assert result.verdict is Verdict.UNPROVEN
    assert result.reasons == ["charged_once was never put to the test"]


def test_a_run_that_does_not_come_to_rest_leaves_a_scenario_unproven() -> None:
    result = combine(SCENARIO, [_run(stuck="2 webhooks are on their way")], None)
    assert result.verdict is Verdict.UNPROVEN
    assert result.reasons == ["it did not come to rest: 2 webhooks are on their way"]


def test_what_broke_a_promise_is_not_told_again_as_unrest() -> None:
    sentence = judge(evidence(endpoint_troubles=1))[-1].violations[0]
    assert combine(SCENARIO, [_run(stuck=sentence, endpoint_troubles=1)], None).reasons == []
    assert combine(SCENARIO, [_run(stuck="2 webhooks wait", endpoint_troubles=1)], None).reasons


def test_one_broken_run_among_many_breaks_the_scenario_and_is_told() -> None:
    bad = _run(orders=[order(1, "pending")])
    result = combine(SCENARIO, [_run(), bad, _run()], None)
    assert result.verdict is Verdict.BROKEN
    broken = [each for each in result.invariants if each.verdict is Verdict.BROKEN]
    assert "ord_1" in (broken[0].message or "")


def test_broken_outweighs_unproven() -> None:
    bad = _run(fired=0, orders=[order(1, "pending")])
    assert combine(SCENARIO, [bad], None).verdict is Verdict.BROKEN


def test_runs_add_up() -> None:
    result = combine(SCENARIO, [_run(), _run(fired=4)], None)
    assert result.runs == 2
    assert result.simulated_s == 20.0
    assert result.faults_fired == {"drop": 5}
    assert isinstance(result.invariants[0], InvariantResult)


def test_a_suite_without_results_proves_nothing() -> None:
    assert overall([]) is Verdict.UNPROVEN


def test_a_suite_is_as_good_as_its_worst_scenario() -> None:
    held = combine(SCENARIO, [_run()], None)
    unproven = combine(SCENARIO, [_run(fired=0)], None)
    broken = combine(SCENARIO, [_run(orders=[order(1, "pending")])], None)
    assert overall([held, held]) is Verdict.HELD
    assert overall([held, unproven]) is Verdict.UNPROVEN
    assert overall([unproven, broken, held]) is Verdict.BROKEN
