"""The suite as a whole: it holds on the correct shop, catches every mutant, and is fast."""

from __future__ import annotations

import time

import pytest

from scenarios.invariants import INVARIANTS
from scenarios.matrix import run_matrix
from scenarios.mutants import MUTANTS
from scenarios.run_suite import CORRECT, SIMULATED, Task, run_suite, run_task
from scenarios.scenario_files import load_catalogue, read_scenario, select
from scenarios.verdict import Verdict, combine
from scenarios.world import World


@pytest.mark.parametrize("scenario", load_catalogue(), ids=lambda scenario: scenario.name)
def test_the_correct_shop_keeps_every_promise_under_many_seeds(scenario) -> None:
    seeds = range(1, 4)
    runs = [run_task(Task(scenario, seed, SIMULATED)) for seed in seeds]
    result = combine(scenario, runs, None)
    assert result.verdict is Verdict.HELD, [result.reasons, result.invariants]
    for run in runs:
        assert all(run.faults_fired.values()), f"seed {run.seed}: {run.faults_fired}"


def test_a_step_that_nobody_could_do_leaves_its_scenario_unproven() -> None:
    step = {"do": "approve_payment", "order": 2, "at": "1s"}
    scenario = read_scenario("one", {"summary": "A promise.", "orders": 1, "steps": [step]})
    result = combine(scenario, [run_task(Task(scenario, 1, SIMULATED))], None)
    assert result.verdict is Verdict.UNPROVEN
    assert "nobody could approve_payment, however often it was tried" in result.reasons


def test_the_faults_of_a_preset_are_counted_after_those_of_the_scenario() -> None:
    words = {"summary": "A promise.", "orders": 9, "provider": {"preset": "storm"}}
    scenario = read_scenario("windy", words | {"faults": [{"kind": "outage", "start": "9m"}]})
    fired = run_task(Task(scenario, 1, SIMULATED)).faults_fired
    assert next(iter(fired.items())) == ("outage", 0)
    assert {"drop", "duplicate", "delay"} <= set(fired)
    assert all(count for kind, count in fired.items() if kind != "outage")


def test_a_run_that_comes_to_the_end_of_time_is_unproven_and_ends_no_other(monkeypatch) -> None:
    original = World.run

    def run(self: World, main, *, every_call: bool = False):
        return original(self, main, limit_s=30.0 if self.seed == 1 else 3600.0)

    monkeypatch.setattr(World, "run", run)
    (calm,) = select(["calm"])
    (result,) = run_suite([calm], [1, 2], SIMULATED, CORRECT, 1, lambda _: None)
    assert result.verdict is Verdict.UNPROVEN
    assert result.reasons == ["it has no end: after 90d something was still to come"]
    assert result.runs == 2
    assert result.faults_fired == {}


NAMED = [(mutant, one) for one in load_catalogue() for mutant in one.catches]


@pytest.mark.parametrize(("mutant", "scenario"), NAMED, ids=lambda one: getattr(one, "name", one))
def test_a_mutant_is_killed_by_each_scenario_that_names_it(mutant, scenario) -> None:
    """And by no accident: the correct shop holds in the same scenario under the same seed."""
    result = combine(scenario, [run_task(Task(scenario, 1, SIMULATED, mutant))], None)
    assert result.verdict is Verdict.BROKEN, result.reasons


# Invariant → a mutant and a scenario in which nothing else sees that the mutant is broken.
SEEN_BY_NOTHING_ELSE = {
    "fulfilled_at_most_once": ("ships_before_commit", "crash_after_shipping"),
    "every_capture_is_fulfilled": ("warehouse_error_swallowed", "warehouse_out_of_reach"),
    "fulfilled_only_if_captured": ("processing_is_paid", "slow_bank"),
    "status_never_goes_back": ("answer_written_late", "slow_answers_cross_webhooks"),
    "shop_agrees_with_provider": ("key_from_basket", "busy_day"),
    "charged_once": ("refund_with_new_key", "refund_answer_lost"),
    "money_balances": ("two_decimals_everywhere", "many_currencies"),
    "forgeries_are_refused": ("unsigned_is_fine", "malformed_signatures"),
    "acknowledged_survives_a_crash": ("acknowledge_before_storing", "crash_is_no_excuse"),
    "answered_in_time": ("works_before_answering", "slow_warehouse"),
    "genuine_webhooks_are_accepted": ("large_bodies_refused", "large_webhooks"),
    "acknowledged_is_acted_on": ("queue_blocked", "one_bad_payment"),
    "endpoint_is_mended": ("registers_and_forgets", "misdirected_endpoint"),
}


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_each_invariant_is_the_only_one_to_see_some_bug(invariant: str) -> None:
    mutant, name = SEEN_BY_NOTHING_ELSE[invariant]
    (scenario,) = select([name])
    run = run_task(Task(scenario, 1, SIMULATED, mutant))
    broken = [result.name for result in run.invariants if result.verdict is Verdict.BROKEN]
    assert broken == [invariant]


def test_every_mutant_is_named_by_a_scenario() -> None:
    assert {mutant for mutant, _ in NAMED} == set(MUTANTS)
    assert len({mutant.bug for mutant in MUTANTS.values()}) >= 41


def test_the_matrix_tells_who_killed_whom_and_who_survived(monkeypatch) -> None:
    few = ("no_dedupe", "no_reconciliation", "newest_secret_only")
    monkeypatch.setattr("scenarios.matrix.MUTANTS", {name: MUTANTS[name] for name in few})
    scenarios = select(["calm", "duplicated_webhooks", "lost_webhooks"])
    table = run_matrix(scenarios, 1, SIMULATED, 2, lambda *_: None)
    assert not table.false_alarms
    assert not table.unproven
    killed = {row.name: row.killed_by for row in table.rows}
    assert "duplicated_webhooks" in killed["no_dedupe"]
    assert killed["no_reconciliation"] == ["lost_webhooks"]
    assert "newest_secret_only" in table.survivors, "none of these scenarios rotates a secret"


def test_results_come_in_the_order_of_the_scenarios_however_many_processes_there_are() -> None:
    scenarios = select(["storm", "calm", "three_day_ladder"])
    told: list[str] = []
    results = run_suite(scenarios, [1, 2], SIMULATED, CORRECT, 2, lambda r: told.append(r.name))
    assert told == [result.name for result in results] == ["storm", "calm", "three_day_ladder"]
    assert all(result.runs == 2 for result in results)


def test_three_days_of_retries_for_one_order_pass_in_far_less_than_three_days() -> None:
    """A ratio, not a stopwatch: three days in under three seconds of any processor."""
    (scenario,) = select(["three_day_ladder"])
    run_task(Task(scenario, 1, SIMULATED))
    began = time.process_time()
    run = run_task(Task(scenario, 2, SIMULATED))
    assert run.simulated_s > 3 * 86400
    assert (time.process_time() - began) < run.simulated_s / 100_000
