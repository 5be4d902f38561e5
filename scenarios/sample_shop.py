"""The sample shop of this repository, seen from outside: over its public routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scenarios.api import Api, BadAnswer
from scenarios.customers import order_of
from scenarios.errors import Unreachable
from scenarios.shop_under_test import PlacedOrder


class SampleShop:
    """A ``ShopUnderTest`` over the shop's own API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._products: list[dict[str, Any]] = []

    @property
    def base_url(self) -> str:
        """Where the shop is."""
        return self._api.base_url

    async def check_ready(self) -> None:
        """Return if the shop answers; note what it sells, before any fault is in force."""
        await self._api.get("/healthz")
        if not self._products:
            self._products = (await self._api.get("/products"))["data"]

    async def place_order(self, seed: int, number: int) -> PlacedOrder | None:
        """Buy one product in one currency."""
        wanted = order_of(seed, number, self._products)
        status, answer = await self._api.call("POST", "/orders", wanted)
        if status in (200, 201) and isinstance(answer, dict):
            return PlacedOrder(
                answer["id"], answer["status"], answer.get("amount"), answer.get("currency")
            )
        if 400 <= status < 500:
            raise Unreachable(f"the shop refused an order with {status}: {answer}")
        return None

    async def status_of(self, order_id: str) -> str:
        """Return an order's public status."""
        answer = await self._api.get(f"/orders/{order_id}")
        if not isinstance(answer, dict) or not isinstance(answer.get("status"), str):
            raise BadAnswer(f"order {order_id} has no status: {answer}")
        return str(answer["status"])

    async def rotate_secret(self, _key: str, /) -> bool:
        """Rotate over the shop's administration, which makes keys of its own."""
        status, _ = await self._api.call("POST", "/_admin/rotate_webhook_secret", {})
        return status == 200

    async def refund(self, order_id: str, amount_minor: int, key: str) -> bool:
        """Ask for a refund over the staff's route; the same key is the same wish."""
        api = replace(self._api, headers={**self._api.headers, "idempotency-key": key})
        status, _ = await api.call("POST", f"/orders/{order_id}/refunds", {"amount": amount_minor})
        return status == 201

    async def ledger(self) -> Mapping[str, Mapping[str, int]] | None:
        """Return the balances of the shop's books."""
        status, answer = await self._api.call("GET", "/ledger")
        return answer["balances"] if status == 200 else None
