"""Buyers for locust: each places orders with the shop and waits until they are paid.

Against any running shop: ``locust -f loadtests/locustfile.py --host http://127.0.0.1:8081``.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from faker import Faker
from locust import FastHttpUser, between, events, task
from locust.env import Environment
from locust.exception import StopUser

JOURNEY_TYPE = "E2E"
JOURNEY_NAME = "order placed → paid"
PAID = ("paid", "fulfilled")
FAILED = "failed"
PAID_WITHIN_S = 30.0
# A share of the wait so far: the moment of payment is then known to a tenth, at few requests.
POLL_SHARE = 0.1
POLL_LEAST_S = 0.02
BASKET_LINES_MAX = 3
QUANTITY_MAX = 4
RESULT_FILE = "LOAD_RESULT_FILE"

FAKER = Faker()


class NotPaid(Exception):
    """An order that was placed did not become paid; the text says what became of it."""


class Buyer(FastHttpUser):
    """Looks at the products once, then buys again and again."""

    wait_time = between(0.1, 0.5)
    connection_timeout = 10.0
    network_timeout = 10.0

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


def write_result(environment: Environment, **_: Any) -> None:
    """Leave the figures, and why requests failed, in the file that the environment names."""
    path = os.environ.get(RESULT_FILE)
    if not path:
        return
    stats = environment.stats
    broken = environment.runner.exceptions.values() if environment.runner else []
    result = {
        "requests": [_figures(entry) for entry in stats.entries.values()],
        "failures": [
            *(
                {"what": f"{error.method} {error.name}", "why": str(error.error), "count": count}
                for error in stats.errors.values()
                if (count := error.occurrences)
            ),
            *({"what": "buyer", "why": one["msg"], "count": one["count"]} for one in broken),
        ],
    }
    Path(path).write_text(json.dumps(result), encoding="utf-8")


def _figures(entry: Any) -> dict[str, Any]:
    return {
        "type": entry.method,
        "name": entry.name,
        "count": entry.num_requests,
        "failures": entry.num_failures,
        "per_second": entry.total_rps,
        "p50_ms": entry.get_response_time_percentile(0.50),
        "p95_ms": entry.get_response_time_percentile(0.95),
        "p99_ms": entry.get_response_time_percentile(0.99),
    }


events.quitting.add_listener(write_result)
