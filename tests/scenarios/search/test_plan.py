"""A plan is explicit JSON, checked before it is played, and plays like the scenario it is of."""

from __future__ import annotations

import json

import pytest

from scenarios.errors import WrongUsage
from scenarios.run_suite import SIMULATED, Task, run_task
from scenarios.scenario_files import load_catalogue, select
from scenarios.search.judge_plan import play_plan
from scenarios.search.plan import Plan, plan_of, read_plan

DROP = {"kind": "drop", "event": "payment.succeeded", "order": 1, "attempt": 1}
CRASH = {"kind": "crash", "at": {"site": "commit", "nth": 3, "when": "after"}, "for": 5}


@pytest.mark.parametrize("scenario", load_catalogue(), ids=lambda scenario: scenario.name)
def test_every_scenario_is_a_plan_that_survives_the_way_through_json(scenario) -> None:
    plan = plan_of(scenario, 7)
    again = read_plan(json.loads(json.dumps(plan.document)))
    assert again.key == plan.key
    assert again.scenario.faults == scenario.faults
    assert (again.orders, again.scenario.steps) == (scenario.orders, scenario.steps)
    assert (again.scenario.provider, again.scenario.shop) == (scenario.provider, scenario.shop)


def test_a_scenario_and_its_plan_give_the_same_run() -> None:
    (scenario,) = select(["duplicate_after_crash"])
    as_scenario = run_task(Task(scenario, 3, SIMULATED))
    as_plan = run_task(Task(read_plan(plan_of(scenario, 3).document).scenario, 3, SIMULATED))
    assert as_scenario.digest == as_plan.digest


def test_the_key_of_a_plan_does_not_depend_on_the_order_of_words() -> None:
    one = Plan(1, {"orders": 2, "chaos": "1m"}, (DROP,))
    other = Plan(1, {"chaos": "1m", "orders": 2}, (dict(reversed(DROP.items())),))
    assert one.key == other.key


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a plan is an object"),
        ({}, "seed = None of the plan"),
        ({"seed": True}, "seed = True of the plan"),
        ({"seed": 1, "faults": {}}, "faults of the plan must be a list"),
        ({"seed": 1, "faults": [3]}, "faults of the plan must be a list of objects"),
        ({"seed": 1, "tags": []}, "'tags' is not a key of a plan"),
        ({"seed": 1, "oders": 2}, "'oders' is not a key"),
        ({"seed": 1, "orders": 0}, "orders = 0"),
        ({"seed": 1, "faults": [{"kind": "dorp"}]}, "faults, number 1: kind = 'dorp'"),
        ({"seed": 1, "faults": [DROP, {**DROP, "attempt": 0}]}, "faults, number 2: attempt"),
        ({"seed": 1, "faults": [{**CRASH, "at": {"site": "lunch"}}]}, "faults, number 1: at"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_in_one_line(document, said) -> None:
    with pytest.raises(WrongUsage) as caught:
        read_plan(document)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_fault_that_begins_while_the_provider_is_down_begins_when_it_is_back() -> None:
    down = {"kind": "crash", "host": "psp", "start": "1s", "for": "10s"}
    late = {"kind": "drop", "event": "payment.succeeded", "attempt": 1, "start": "2s"}
    plan = Plan(1, {"orders": 2, "order_gap": "20s"}, (late, down))
    outcome = play_plan(plan, "correct")
    assert not outcome.broken
    assert all(outcome.fired), "counts stay with their faults"


def test_an_order_whose_customer_got_no_answer_comes_to_its_end_before_the_books_are_compared() -> (
    None
):
    dispute = {"kind": "dispute", "by": "1s", "decided_after": "10s", "outcome": "lost"}
    pause = {"kind": "pause", "host": "shop", "for": 70.0}
    plan = Plan(9262, {"shop": {"tracking": "long-polling"}}, (dispute, pause))
    outcome = play_plan(plan, "correct")
    assert not outcome.broken
    assert all(outcome.fired)
