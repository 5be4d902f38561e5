"""What the provider still has in store after the chaos is waited for, in virtual time for days."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from psp_sim.domain.course import Step
from psp_sim.domain.event import iso_timestamp
from scenarios.agenda import REAL_WAIT_MAX_S, Deadline
from scenarios.converge import wait_until_converged
from scenarios.evidence import OrderSeen
from scenarios.run_suite import CORRECT, SIMULATED, Task, run_task
from scenarios.scenario_files import read_scenario
from scenarios.stage import Patience, Stage
from scenarios.verdict import ScenarioResult, Verdict, combine

DAY_S = 86_400.0


def _play(shop: str = CORRECT, **words: Any) -> ScenarioResult:
    wanted = ["shop_agrees_with_provider"]
    scenario = read_scenario("late", {"summary": "A promise.", "invariants": wanted, **words})
    return combine(scenario, [run_task(Task(scenario, 1, SIMULATED, shop))], None)


LATE = [
    {"kind": "fail_late", "by": "5m"},
    {"kind": "fail_late", "by": "5d"},
    {"kind": "fail_late", "by": {"distribution": "exponential", "mean": "2h"}},
    {"kind": "dispute", "by": "5d", "decided_after": "2d"},
]


@pytest.mark.parametrize("fault", LATE, ids=lambda fault: f"{fault['kind']} {fault['by']}")
def test_money_that_goes_back_long_after_the_chaos_is_waited_for(fault: dict[str, Any]) -> None:
    held = _play(faults=[fault])
    assert held.verdict is Verdict.HELD, [held.reasons, held.invariants]
    broken = _play("corrections_ignored", faults=[fault])
    assert broken.verdict is Verdict.BROKEN


def test_a_refund_that_fails_long_after_the_chaos_is_waited_for() -> None:
    words = {
        "faults": [{"kind": "refund_fails", "by": "5d"}],
        "steps": [{"do": "refund", "at": "10s"}],
    }
    assert _play(**words).verdict is Verdict.HELD
    assert _play("refunds_are_final", **words).verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    "words",
    [
        {"provider": {"settle_after": "4d"}},
        {"faults": [{"kind": "settle_after", "by": "20d"}]},
        {"provider": {"settle_after": {"distribution": "normal", "mean": "5d", "deviation": "1h"}}},
    ],
    ids=["the provider's setting", "a fault", "a drawn time"],
)
def test_an_outcome_that_takes_longer_than_all_retries_is_waited_for(words: dict[str, Any]) -> None:
    held = _play(**words)
    assert held.verdict is Verdict.HELD, [held.reasons, held.invariants]


@dataclass
class Scene:
    """A provider with one payment that succeeded, has late news in store, and never brings them."""

    left_s: float
    at_s: float = 1_800_000_000.0
    created_s_after: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        plan = {
            "payment": "pay_1",
            "created": iso_timestamp(1_800_000_000.0 + self.created_s_after),
            "step": Step.FAIL_LATE.value,
            "at": iso_timestamp(1_800_000_000.0 + self.left_s),
        }
        return {"data": [plan]}

    async def get_all(self, path: str) -> list[dict[str, Any]]:
        created = iso_timestamp(1_800_000_000.0)
        payment = {"id": "pay_1", "reference": "o1", "status": "succeeded", "created": created}
        return [payment] if path == "/v1/payments" else []

    async def status_of(self, order_id: str) -> str:
        return "fulfilled"

    def now(self) -> float:
        self.at_s += 1.0
        return self.at_s

    def stage(self, *, is_real: bool) -> Stage:
        return Stage(
            provider=cast(Any, self),
            shop=cast(Any, self),
            warehouse=cast(Any, None),
            now=self.now,
            seed=1,
            time_scale=1e6 if is_real else 1.0,
            patience=Patience(1.0, 4.0, lambda: False) if is_real else None,
        )


async def test_what_a_real_clock_brings_only_after_hours_is_not_waited_for_and_not_held() -> None:
    stage = Scene(left_s=REAL_WAIT_MAX_S * 100).stage(is_real=True)
    order = OrderSeen("o1", 1, 0.0, None, None)
    deadline = Deadline(stage, 1.0)
    _, missing = await wait_until_converged(stage, [order], [], deadline, has_late_news=True)
    assert missing == "payment pay_1 has something to come: fail_late"


@pytest.mark.parametrize(
    ("left_s", "created_s_after", "is_real", "is_put_off"),
    [
        (5 * DAY_S, 0.0, False, True),
        (5 * DAY_S, 300.0, False, False),
        (REAL_WAIT_MAX_S / 2, 0.0, True, True),
        (5 * DAY_S, 0.0, True, False),
    ],
    ids=["in virtual time", "of a payment made too late", "in reach of a real clock", "out of it"],
)
async def test_a_deadline_is_put_off_for_what_can_be_waited_for(
    left_s: float, created_s_after: float, is_real: bool, is_put_off: bool
) -> None:
    scene = Scene(left_s, created_s_after=created_s_after)
    stage = scene.stage(is_real=is_real)
    deadline = Deadline(stage, 100.0)
    before_s = deadline.left_s
    await deadline.look_ahead()
    assert (deadline.left_s > before_s) is is_put_off
