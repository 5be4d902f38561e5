"""Buyers: each places orders with the shop and waits until they are paid."""

from __future__ import annotations

import os
import random
import time
from typing import Any

from faker import Faker
from locust import FastHttpUser, between, task
from locust.exception import StopUser

from loadtests.control_faults import kinds_here
from loadtests.lost_answers import paid_within_s

JOURNEY_TYPE = "E2E"
JOURNEY_NAME = "order placed → paid"
PAID = ("paid", "fulfilled")
FAILED = "failed"
PAID_WITHIN_S = paid_within_s(kinds_here())
# A share of the wait so far: the moment of payment is then known to a tenth, at few requests.
POLL_SHARE = 0.1
POLL_LEAST_S = 0.02
BASKET_LINES_MAX = 3
QUANTITY_MAX = 4

FAKER = Faker()


class NotPaid(Exception):
    """An order that was placed did not become paid; the text says what became of it."""


class Buyer(FastHttpUser):
    """Looks at the products once, then buys again and again."""

    weight = 3
    host = os.environ.get("LOAD_SHOP")
    wait_time = between(0.1, 0.5)
    # Slow answers show in the percentiles; no answer at all is a failure.
    connection_timeout = 30.0
    network_timeout = 30.0

    def on_start(self) -> None:
        """Learn what there is to buy; without that there is nothing to do."""
        with self.client.get("/products", catch_response=True) as answer:
            self.skus_by_currency = skus_by_currency(_data_of(answer))
            if not self.skus_by_currency:
                answer.failure("there is nothing to buy")
                raise StopUser

    @task
    def buy(self) -> None:
        """Place one order, wait until it is paid, and report how long that took."""
        placed_at = time.perf_counter()
        order_id = self._place_order()
        if order_id is None:
            return
        problem = self._wait_until_paid(order_id, placed_at)
        self.environment.events.request.fire(
            request_type=JOURNEY_TYPE,
            name=JOURNEY_NAME,
            response_time=(time.perf_counter() - placed_at) * 1000,
            response_length=0,
            exception=problem,
            context=self.context(),
        )

    def _place_order(self) -> str | None:
        order = {"items": basket(self.skus_by_currency), "email": FAKER.email()}
        with self.client.post("/orders", json=order, catch_response=True) as answer:
            if answer.status_code != 201:
                answer.failure(f"status {answer.status_code}, not 201")
                return None
            return str(answer.json()["id"])

    def _wait_until_paid(self, order_id: str, placed_at: float) -> NotPaid | None:
        while (waited_s := time.perf_counter() - placed_at) < PAID_WITHIN_S:
            status = self._status_of(order_id)
            if status in PAID:
                return None
            if status == FAILED:
                return NotPaid("the order failed")
            time.sleep(max(POLL_LEAST_S, waited_s * POLL_SHARE))
        return NotPaid(f"not paid within {PAID_WITHIN_S:g} s")

    def _status_of(self, order_id: str) -> str | None:
        path = f"/orders/{order_id}"
        with self.client.get(path, name="/orders/{id}", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}, not 200")
                return None
            return str(answer.json()["status"])


def skus_by_currency(products: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Group what is for sale: an order has one currency."""
    groups: dict[str, list[str]] = {}
    for product in products:
        groups.setdefault(product["currency"], []).append(product["sku"])
    return groups


def basket(skus: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return a few lines of one currency, no article twice."""
    choice = skus[random.choice(list(skus))]
    lines = random.sample(choice, random.randint(1, min(BASKET_LINES_MAX, len(choice))))
    return [{"sku": sku, "quantity": random.randint(1, QUANTITY_MAX)} for sku in lines]


def _data_of(answer: Any) -> list[dict[str, Any]]:
    products: list[dict[str, Any]] = answer.json()["data"] if answer.status_code == 200 else []
    return products
