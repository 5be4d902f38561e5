"""What people do at the provider by themselves, past the shop."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from scenarios import payers
from scenarios.api import Api
from scenarios.evidence import Shipment
from scenarios.scenario import Step
from scenarios.stage import Stage
from scenarios.steps import carry_out
from tests.scenarios.evidence_of import order, payment


@pytest.mark.parametrize(("status", "is_done"), [("processing", False), ("succeeded", True)])
async def test_a_refund_at_the_console_waits_for_the_money_and_gives_a_share_back(
    status: str, *, is_done: bool
) -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [payment(1, status)]})
        asked.append((request.headers["idempotency-key"], json.loads(request.content)))
        return httpx.Response(201, json={})

    one, api = order(1), Api("http://127.0.0.1:1", httpx.MockTransport(answer), 1.0)
    assert await payers.refund(api, one, 0.3, "key") is is_done
    assert asked == [("key", {"payment": "pay_1", "amount": 300})] * is_done
    assert one.refunds_wished == [300] * is_done


@pytest.mark.parametrize("goods", [[], [Shipment(1.0, "ord_1", None)]], ids=["here", "gone"])
async def test_nobody_refunds_before_the_goods_have_left(goods: list[Shipment]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [payment(1)]})
        return httpx.Response(201, json={})

    provider = Api("http://127.0.0.1:1", httpx.MockTransport(answer), 1.0)
    warehouse = SimpleNamespace(shipments=goods)
    stage = SimpleNamespace(provider=provider, warehouse=warehouse, patience=None)
    step = Step("refund_at_console", 1.0)
    assert await carry_out(cast(Stage, stage), [order(1)], step) is bool(goods)


@pytest.mark.parametrize(
    ("step", "status", "waits", "is_done"),
    [
        ("pay_again_in_vain", "processing", True, False),
        ("pay_again_in_vain", "succeeded", True, True),
        ("pay_again_in_vain", "processing", False, True),
        ("pay_too_little", "processing", True, True),
    ],
)
async def test_who_pays_again_waits_for_the_outcome_of_the_first_payment_where_paces_are_unknown(
    step: str, status: str, *, waits: bool, is_done: bool
) -> None:
    made: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [payment(1, status)]})
        made.append(request)
        return httpx.Response(201, json={})

    api = Api("http://127.0.0.1:1", httpx.MockTransport(answer), 1.0)
    assert await payers.carry_out(api, step, order(1), waits=waits) is is_done
    assert len(made) == is_done
