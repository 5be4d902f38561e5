"""When a service of somebody else's has come to rest, so that waiting longer has no use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest

from scenarios.api import BadAnswer
from scenarios.converge import Rest, what_is_missing
from scenarios.evidence import STRAY, OrderSeen
from scenarios.scenario_files import read_scenario
from scenarios.stage import Patience, Stage

IDLE_LIMIT_S = 8.0
PAID = {
    "id": "pay_1",
    "reference": "o1",
    "status": "succeeded",
    "created": "2026-01-01T00:00:00.000Z",
}
OPEN = {"state": "waiting"}


@dataclass
class Scene:
    """A provider, a shop and a clock, all of which say what the test wants."""

    at_s: float = 0.0
    payments: list[dict] = field(default_factory=lambda: [PAID])
    deliveries: list[dict] = field(default_factory=list)
    status: str = "pending"
    is_disturbed: bool = False
    answers: bool = True

    def rest(self, *, has_outages: bool = False) -> Rest:
        patience = Patience(15.0, IDLE_LIMIT_S, lambda: self.is_disturbed)
        stage = Stage(
            provider=cast(Any, self),
            shop=cast(Any, self),
            warehouse=cast(Any, None),
            now=lambda: self.at_s,
            seed=1,
            patience=patience,
        )
        return Rest(stage, patience, has_outages=has_outages)

    async def get_all(self, path: str) -> list[dict]:
        if not self.answers:
            raise httpx.ReadTimeout("no answer")
        if path == "/v1/payments":
            return self.payments
        return self.deliveries if path.endswith("/deliveries") else [{"id": "we_1"}]

    async def status_of(self, order_id: str) -> str:
        if order_id == "no order":
            raise BadAnswer("404")
        return self.status


def an_order() -> list[OrderSeen]:
    return [OrderSeen("o1", 1, 0.0, None, None)]


async def looked(
    scene: Scene, rest: Rest, orders: list[OrderSeen], *moments_s: float
) -> list[bool]:
    seen = []
    for scene.at_s in moments_s:
        seen.append(await rest.has_come(orders))
    return seen


async def test_what_is_settled_is_at_rest_at_once() -> None:
    scene = Scene(status="fulfilled")
    assert await looked(scene, scene.rest(), an_order(), 0.1) == [True]


async def test_who_does_nothing_for_long_enough_is_at_rest_although_it_is_wrong() -> None:
    scene = Scene()
    assert await looked(scene, scene.rest(), an_order(), 1.0, 5.0, 8.9, 9.1) == [False] * 3 + [True]


async def test_a_machine_that_stood_still_between_two_looks_is_given_time_to_move() -> None:
    scene = Scene()
    rest, orders = scene.rest(), an_order()
    assert await looked(scene, rest, orders, 1.0, 3.0, 60.0) == [False] * 3
    scene.status = "fulfilled"
    assert await looked(scene, rest, orders, 61.0) == [True]


@pytest.mark.parametrize(
    "busy",
    [
        {"deliveries": [OPEN]},
        {"payments": [PAID | {"status": "processing"}]},
        {"is_disturbed": True},
    ],
    ids=["a webhook on its way", "an open payment", "a crash that is not over"],
)
async def test_what_is_still_to_come_is_waited_for(busy: dict[str, Any]) -> None:
    scene = Scene(**busy)
    assert await looked(scene, scene.rest(), an_order(), 1.0, 30.0, 60.0) == [False] * 3


async def test_a_status_that_changes_is_a_sign_of_life() -> None:
    scene = Scene()
    rest, orders = scene.rest(), an_order()
    assert await looked(scene, rest, orders, 1.0, 7.0) == [False] * 2
    scene.status = "failed"
    assert await looked(scene, rest, orders, 9.5, 13.0, 17.0, 18.0) == [False] * 3 + [True]


@pytest.mark.parametrize("has_outages", [True, False])
async def test_silence_of_the_provider_is_no_rest_when_it_may_be_down(has_outages: bool) -> None:
    scene = Scene()
    rest, orders = scene.rest(has_outages=has_outages), an_order()
    assert await looked(scene, rest, orders, 1.0) == [False]
    scene.answers = False
    assert await looked(scene, rest, orders, 5.0, 20.0) == [False] * 2
    scene.answers = True
    assert await looked(scene, rest, orders, 21.0) == [not has_outages]


async def test_an_order_whose_customer_never_got_an_answer_has_to_come_to_its_end_too() -> None:
    scene = Scene()
    assert await looked(scene, scene.rest(), [], 1.0, 5.0) == [False] * 2
    scene.status = "fulfilled"
    assert await looked(scene, scene.rest(), [], 6.0) == [True]


async def test_a_payment_for_what_is_no_order_of_the_shop_is_not_waited_for() -> None:
    scene = Scene(payments=[PAID | {"reference": "no order"}])
    assert await looked(scene, scene.rest(), [], 1.0) == [True]


@pytest.mark.parametrize(
    ("payment", "is_missing"),
    [
        (PAID, True),
        (PAID | {"status": "failed", "failure": {"code": "debit_returned"}}, False),
        (PAID | {"disputes": [{"status": "lost"}]}, False),
    ],
    ids=["there is money to give back", "the bank took it back", "it was lost in a dispute"],
)
def test_a_refund_is_waited_for_only_while_there_is_money(
    payment: dict[str, Any], is_missing: bool
) -> None:
    order = OrderSeen("o1", 1, 0.0, 1000, "EUR", refunds_wished=[300])
    order.saw(1.0, "reversed" if payment is not PAID else "fulfilled")
    missing = what_is_missing([order], [payment], [])
    assert ("has not reached the provider" in (missing or "")) is is_missing


@pytest.mark.parametrize(
    ("status", "is_at_rest"), [("fulfilled", True), ("partially_refunded", False)]
)
def test_a_refund_that_failed_has_to_be_learnt(status: str, is_at_rest: bool) -> None:
    refund = {"id": "re_1", "status": "failed"}
    order = OrderSeen("o1", 1, 0.0, 1000, "EUR", refunds_wished=[300])
    order.saw(1.0, status)
    missing = what_is_missing([order], [PAID | {"amount": 1000, "refunds": [refund]}], [])
    assert (missing is None) is is_at_rest


@pytest.mark.parametrize(("shipped", "is_at_rest"), [((), False), (("o1",), True), (None, True)])
def test_goods_that_were_paid_for_have_to_leave_though_the_money_went_back_meanwhile(
    shipped: Sequence[str] | None, is_at_rest: bool
) -> None:
    order = OrderSeen("o1", 1, 0.0, 1000, "EUR", refunds_wished=[1000])
    order.saw(1.0, "refunded")
    refunds = [{"id": "re_1", "status": "succeeded"}]
    payment = PAID | {"amount": 1000, "amount_refunded": 1000, "refunds": refunds}
    assert (what_is_missing([order], [payment], [], shipped) is None) is is_at_rest


def _seen(number: int, *, never_settles: bool) -> OrderSeen:
    order = OrderSeen("o1", number, 0.0, 1000, "EUR", never_settles=never_settles)
    order.saw(1.0, "pending")
    return order


@pytest.mark.parametrize("status", ["processing", "requires_action"])
@pytest.mark.parametrize("never_settles", [True, False])
def test_a_payment_is_waited_for_unless_the_scenario_keeps_it_open(
    status: str, never_settles: bool
) -> None:
    payment = PAID | {"status": status}
    missing = what_is_missing([_seen(1, never_settles=never_settles)], [payment], [])
    assert (missing is None) is never_settles


@pytest.mark.parametrize("reference", ["unheard", "gift-for-1"])
@pytest.mark.parametrize(
    ("status", "nothing_settles", "is_at_rest"),
    [
        ("requires_action", False, True),
        ("processing", False, False),
        ("processing", True, True),
    ],
)
def test_what_no_customer_knows_of_is_approved_by_nobody_and_settles_only_if_anything_does(
    reference: str, status: str, nothing_settles: bool, is_at_rest: bool
) -> None:
    known, unheard = _seen(1, never_settles=nothing_settles), _seen(0, never_settles=False)
    unheard.id = "unheard"
    own = PAID | {"status": "processing"}
    metadata = {} if reference == "unheard" else {STRAY: "pay_for_something_else"}
    other = own | {"id": "pay_2", "reference": reference, "status": status, "metadata": metadata}
    if not nothing_settles:
        known.saw(2.0, "fulfilled")
        own = PAID
    orders = [known, unheard] if reference == "unheard" else [known]
    assert (what_is_missing(orders, [own, other], []) is None) is is_at_rest


def test_a_scenario_says_whose_payment_stays_open() -> None:
    approved = [{"do": "approve_payment", "order": 1, "at": "5s"}]
    asked, stuck = {"kind": "require_action"}, {"kind": "never_settle"}

    def open_for_good(*faults: dict, steps: Sequence[dict] = ()) -> list[int]:
        words = {"summary": "Some stay open.", "faults": list(faults), "steps": list(steps)}
        scenario = read_scenario("some", words)
        return [number for number in (1, 2) if scenario.never_settles(number)]

    assert open_for_good() == []
    assert open_for_good(stuck) == [1, 2]
    assert open_for_good(stuck | {"order": 1}) == [1]
    assert open_for_good(asked) == [1, 2]
    assert open_for_good(asked, steps=approved) == [2]
    assert open_for_good(asked | {"order": 1}, steps=approved) == []
