"""An order that was paid for and that the shop denies is told from one that it cannot show now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import httpx

from scenarios.api import BadAnswer
from scenarios.evidence import STRAY
from scenarios.observe import unknown_orders
from scenarios.stage import Stage
from tests.scenarios.evidence_of import order, payment


async def test_only_paid_orders_of_which_the_shop_answers_that_it_has_none_are_unknown() -> None:
    asked: list[str] = []

    async def status_of(order_id: str) -> str:
        asked.append(order_id)
        if order_id == "ord_2":
            raise BadAnswer("there is no such order", 404)
        if order_id == "ord_4":
            raise BadAnswer("come again later", 503)
        if order_id == "ord_3":
            raise httpx.ConnectError("away")
        return "paid"

    stage = cast(Stage, SimpleNamespace(shop=SimpleNamespace(status_of=status_of)))
    payments: list[dict[str, Any]] = [payment(number) for number in range(1, 5)]
    payments += [payment(5, "failed"), payment(6, metadata={STRAY: "pay_too_little"}), payment(2)]
    assert await unknown_orders(stage, [order(1)], payments) == ["ord_2"]
    assert asked == ["ord_2", "ord_3", "ord_4"]
