"""Shrinking takes away everything that a failure does not need, and never slips to another one."""

from __future__ import annotations

from scenarios.search.judge_plan import Outcome, play_plan
from scenarios.search.plan import Plan
from scenarios.search.shrink import shrink

NOISE = (
    {"kind": "unknown_fields", "attempt": 1},
    {"kind": "slow_response", "operation": "create_payment", "by": "3s"},
    {"kind": "drop", "event": "payment.succeeded", "order": 99},
)
DUPLICATE = {
    "kind": "duplicate",
    "event": "payment.succeeded",
    "order": 2,
    "copies": 3,
    "spacing": "20s",
}


def test_what_a_failure_does_not_need_is_taken_away() -> None:
    setting = {"orders": 3, "order_gap": "1s", "chaos": "2m", "shop": {"tracking": "webhooks"}}
    plan = Plan(1, setting, (NOISE[0], DUPLICATE, *NOISE[1:]))
    found = shrink(plan, "fulfilled_at_most_once", lambda p: play_plan(p, "no_dedupe"))
    assert "fulfilled_at_most_once" in found.outcome.broken
    assert found.plan.orders == 1
    assert len(found.plan.faults) <= 1
    assert "order_gap" not in found.plan.setting
    assert "chaos" not in found.plan.setting


def test_a_smaller_plan_that_breaks_something_else_is_not_taken() -> None:
    """Made up: two faults together break one promise, the second alone breaks another."""
    first, second = {"kind": "drop"}, {"kind": "forge"}

    def play(plan: Plan) -> Outcome:
        kinds = [fault["kind"] for fault in plan.faults]
        if kinds == ["drop", "forge"]:
            return Outcome({"charged_once": "twice"}, [1, 1])
        return Outcome({"money_balances": "no"} if kinds == ["forge"] else {}, [1] * len(kinds))

    assert shrink(Plan(1, {}, (first, second)), "charged_once", play).plan.faults == (first, second)


def test_shrinking_goes_on_until_nothing_more_can_be_taken_away() -> None:
    """Made up: a fault can only be dropped after another was, so one pass would not do."""

    def play(plan: Plan) -> Outcome:
        copies = [fault["copies"] for fault in plan.faults]
        is_broken = 7 in copies and (len(copies) != 2 or sum(copies) != 9)
        return Outcome({"charged_once": "twice"} if is_broken else {}, [1] * len(copies))

    faults = tuple({"kind": "duplicate", "copies": copies} for copies in (2, 3, 7))
    found = shrink(Plan(1, {}, faults), "charged_once", play)
    assert [fault["copies"] for fault in found.plan.faults] == [7]


def test_shrinking_is_bounded() -> None:
    plan = Plan(1, {"orders": 9}, tuple({"kind": "drop", "order": n} for n in range(1, 30)))
    found = shrink(plan, "charged_once", lambda _: Outcome({"charged_once": "always"}), runs_max=3)
    assert (found.runs, found.is_done) == (3, False)


def test_when_the_time_is_over_what_was_reached_stands_and_says_that_it_could_be_smaller() -> None:
    plan = Plan(1, {}, tuple({"kind": "drop", "order": n} for n in range(1, 9)))
    moments = iter([False, False, True])
    found = shrink(
        plan,
        "charged_once",
        lambda plan: Outcome({"charged_once": "always"} if plan.faults else {}),
        is_time_over=lambda: next(moments),
    )
    assert (found.runs, found.is_done) == (2, False)
    assert 0 < len(found.plan.faults) < 8
    assert "charged_once" in found.outcome.broken


def test_what_cannot_be_made_smaller_is_fully_shrunk() -> None:
    found = shrink(Plan(1, {}, ()), "charged_once", lambda _: Outcome({"charged_once": "always"}))
    assert (found.plan.faults, found.is_done) == ((), True)
