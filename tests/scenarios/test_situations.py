"""What has to have happened, or a scenario proves nothing: told from the evidence of any target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scenarios.evidence import STRAY, Disturbance, Shipment
from scenarios.run_suite import SIMULATED, Task, run_task
from scenarios.scenario_files import load_catalogue, read_scenario, select
from scenarios.situations import SITUATIONS, what_never_came
from scenarios.verdict import Verdict, combine
from tests.scenarios.evidence_of import PACE, delivery, evidence, payment

NEEDED = [(one.name, need) for one in load_catalogue() for need in one.needs]


def called(at_s: float, kind: str = "payment.succeeded", webhook_id: str = "evt_1") -> dict:
    made = delivery((200, []))
    made["attempts"][0] |= {
        "started": f"1970-01-01T00:00:{at_s:06.3f}+00:00",
        "webhook_id": webhook_id,
    }
    return made | {"type": kind}


def died(at_s: float) -> Disturbance:
    return Disturbance("crash", frozenset({"shop"}), at_s, at_s + 1)


def stray(created_s: int) -> dict[str, Any]:
    made = f"1970-01-01T00:00:{created_s:02}+00:00"
    return payment(2, "failed", reference="ord_1", created=made, metadata={STRAY: "x"})


@pytest.mark.parametrize(
    ("name", "come", "missed"),
    [
        (
            "several_currencies",
            {"payments": [payment(1), payment(2, currency="JPY")]},
            {"payments": [payment(1), payment(2, currency="USD")]},
        ),
        (
            "webhook_put_off",
            {"deliveries": [delivery((429, []), (200, []))]},
            {"deliveries": [delivery((503, []), (200, []))]},
        ),
        (
            "large_webhook_taken",
            {"deliveries": [delivery((200, ["oversize_body"]))]},
            {"deliveries": [delivery((413, ["oversize_body"]), (200, []))]},
        ),
        (
            "pending_after_captured",
            {"deliveries": [called(1), called(2, "payment.processing")]},
            {"deliveries": [called(2), called(1, "payment.processing")]},
        ),
        (
            "declined_after_paid",
            {"payments": [payment(1), stray(6)], "captured_at": {"pay_1": 5.0}},
            {"payments": [payment(1), stray(4)], "captured_at": {"pay_1": 5.0}},
        ),
        (
            "told_by_webhook",
            {"pace": PACE},
            {"pace": PACE, "deliveries": [delivery((500, []))]},
        ),
        ("told_before_healing", {"healed_at": 1.0}, {"healed_at": 0.005}),
        (
            "copies_came_at_once",
            {"deliveries": [called(1), called(1.009)]},
            {"deliveries": [called(1), called(1.011), called(1, webhook_id="evt_2")]},
        ),
        (
            "left_to_do_at_death",
            {"disturbances": [died(1)], "shipments": [Shipment(3.0, "ord_1", "ful_1")]},
            {"disturbances": [died(4)], "shipments": [Shipment(3.0, "ord_1", "ful_1")]},
        ),
        (
            "came_again_after_death",
            {"deliveries": [called(1), called(9)], "disturbances": [died(5)]},
            {"deliveries": [called(6), called(9)], "disturbances": [died(5)]},
        ),
    ],
)
def test_each_situation_is_told_from_its_near_miss(
    name: str, come: dict[str, Any], missed: dict[str, Any]
) -> None:
    assert what_never_came([name], evidence(**come)) == []
    assert what_never_came([name], evidence(**missed)) == [name]


def test_every_situation_is_needed_by_some_scenario() -> None:
    assert {need for _, need in NEEDED} == set(SITUATIONS)


@pytest.mark.parametrize(("name", "need"), NEEDED)
def test_a_scenario_in_which_its_situation_does_not_come_about_proves_nothing(
    name: str, need: str
) -> None:
    (scenario,) = select([name])
    run = run_task(Task(scenario, 1, SIMULATED))
    assert combine(scenario, [run], None).verdict is Verdict.HELD
    result = combine(scenario, [replace(run, never_came=(need,))], None)
    assert result.verdict is Verdict.UNPROVEN
    assert result.reasons == [f"it never happened that {SITUATIONS[need].summary}"]


def test_a_run_says_itself_what_never_came_about() -> None:
    words = {"summary": "A promise.", "needs": ["webhook_put_off"]}
    result = run_task(Task(read_scenario("calm_one", words), 1, SIMULATED))
    assert result.never_came == ["webhook_put_off"]


def test_one_run_of_many_is_enough_for_a_situation() -> None:
    (scenario,) = select(["flood_of_webhooks"])
    run = run_task(Task(scenario, 1, SIMULATED))
    missed = replace(run, never_came=("webhook_put_off",))
    assert combine(scenario, [missed, run], None).verdict is Verdict.HELD
