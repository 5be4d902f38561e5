import random

import pytest

from psp_sim.domain.attempt_plan import AttemptPlan, Copy, plan_attempt
from psp_sim.domain.faults import parse_fault


def plan_of(*documents):
    faults = [parse_fault(document) for document in documents]
    return plan_attempt(faults, lambda kind: random.Random(kind))


def test_without_faults_one_copy_leaves_at_once():
    assert plan_of() == AttemptPlan()
    assert AttemptPlan().copies == (Copy(0.0),)


def test_each_fault_does_its_part():
    assert plan_of({"kind": "drop"}).is_lost
    assert plan_of({"kind": "slow_body", "by": "5s"}).trickle_s == 5
    assert plan_of({"kind": "tamper_body", "field": "currency"}).fields == {
        "tamper_body": {"field": "currency"}
    }
    assert plan_of({"kind": "delay", "by": "5s"}).hold_s == 5
    assert plan_of({"kind": "delay", "by": "5s", "where": "network"}).network_s == 5
    assert plan_of({"kind": "stale_timestamp", "by": "10m"}).timestamp_shift_s == -600
    assert plan_of({"kind": "future_timestamp", "by": "10m"}).timestamp_shift_s == 600


def test_a_delay_in_one_place_is_none_in_the_other():
    assert plan_of({"kind": "delay", "by": "5s"}).network_s == 0
    assert plan_of({"kind": "delay", "by": "5s", "where": "network"}).hold_s == 0


def test_copies_are_spaced_and_only_the_first_keeps_its_id_if_ids_are_new():
    same = plan_of({"kind": "duplicate", "copies": 3, "spacing": "2s"})
    assert same.copies == (Copy(0.0), Copy(2.0), Copy(4.0))
    new = plan_of({"kind": "duplicate", "copies": 2, "ids": "new"})
    assert new.copies == (Copy(0.0), Copy(0.0, has_new_id=True))


def test_reordering_holds_for_a_part_of_the_window_unless_it_waits_for_an_event():
    assert plan_of({"kind": "reorder", "after": "payment.succeeded"}).hold_s == 0
    assert 0 < plan_of({"kind": "reorder", "window": "1m"}).hold_s < 60


def test_faults_of_different_kinds_add_up():
    plan = plan_of({"kind": "delay", "by": "5s"}, {"kind": "duplicate"}, {"kind": "drop"})
    assert (plan.hold_s, len(plan.copies), plan.is_lost) == (5, 2, True)
    assert plan.faults == ("delay", "duplicate", "drop")


@pytest.mark.parametrize(
    ("kind", "fields", "seen"),
    [
        ("delay", {"by": "5s"}, lambda plan: plan.hold_s == 10),
        ("delay", {"by": "5s", "where": "network"}, lambda plan: plan.network_s == 10),
        ("duplicate", {"copies": 3}, lambda plan: len(plan.copies) == 5),
        ("stale_timestamp", {"by": 60}, lambda plan: plan.timestamp_shift_s == -120),
        ("drop", {}, lambda plan: plan.is_lost),
    ],
)
def test_two_faults_of_one_kind_both_act(kind, fields, seen):
    document = {"kind": kind, **fields}
    plan = plan_of(document, document)
    assert seen(plan)
    assert plan.faults == (kind,)
