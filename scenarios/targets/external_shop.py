"""Somebody's service as a customer sees it, by the words of its target file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from scenarios.api import GONE, Api, BadAnswer
from scenarios.customers import order_of
from scenarios.errors import Unreachable
from scenarios.evidence import REVERSED, Shipment
from scenarios.shop_under_test import PlacedOrder
from scenarios.targets.target_file import Target, fill, fill_all
from scenarios.warehouse import Warehouse

# A service may answer with these and mean: not now.
_TRY_AGAIN = (408, 409, 425, 429)

# The status of an order that the service has shown before and no longer knows.
LOST = "lost"

_STEP_TIMEOUT_S = 2.0
_SHOWN_MAX = 160


@dataclass
class ExternalShop:
    """A ``ShopUnderTest``. ``warehouse`` is where fulfilments are counted.

    ``words`` has each order's last status in the service's own words.
    """

    target: Target
    api: Api
    provider: Api
    warehouse: Warehouse
    now: Callable[[], float]
    words: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self.api.base_url

    async def check_ready(self) -> None:
        """Return if the service answers at all."""
        await self.api.send("GET", self.target.document.ready or "/")

    async def place_order(self, seed: int, number: int) -> PlacedOrder | None:
        """Buy what the target file says, under an address of the customer's own."""
        order = self.target.document.place_order
        customer = order_of(seed, number, [{"sku": sku, "currency": None} for sku in order.skus])
        values = {
            "sku": customer["items"][0]["sku"],
            "email": customer["email"],
            "number": str(number),
            "currency": _turn(order.currencies, number),
        }
        api = replace(self.api, headers={**self.api.headers, **order.headers})
        path = fill(order.path, values)
        body = None if order.method == "GET" else fill_all(order.json, values)
        status, text = await api.send(order.method, path, body)
        said = f"{order.method} {self.base_url}{path} answered {status}"
        if status >= 500 or status in _TRY_AGAIN:
            return None
        if not 200 <= status < 300:
            raise Unreachable(
                f"{said}: {_shown(text)}; are method, path and json of [place_order] right?"
            )
        try:
            return self._placed(_decoded(said, text), said, text)
        except BadAnswer as problem:
            raise Unreachable(str(problem)) from problem

    def _placed(self, answer: Any, said: str, text: bytes) -> PlacedOrder:
        order_id = self.target.find_order_id(answer)
        if not isinstance(order_id, str | int) or isinstance(order_id, bool) or order_id == "":
            expression = self.target.document.place_order.order_id
            raise BadAnswer(
                f"{said}, and place_order.order_id = {expression!r} finds no id in {_shown(text)}"
            )
        return PlacedOrder(str(order_id), "pending", *self._price(answer, said, text))

    def _price(self, answer: Any, said: str, text: bytes) -> tuple[int, str] | tuple[None, None]:
        """Return amount and currency if the target file says where they are. Raises BadAnswer."""
        wanted = self.target.document.place_order
        if wanted.amount is None or wanted.currency is None:
            return None, None
        amount, currency = self.target.find_amount(answer), self.target.find_currency(answer)
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise BadAnswer(
                f"{said}, and place_order.amount = {wanted.amount!r} finds no whole number of "
                f"minor units in {_shown(text)}"
            )
        if not isinstance(currency, str):
            raise BadAnswer(
                f"{said}, and place_order.currency = {wanted.currency!r} finds no currency in "
                f"{_shown(text)}"
            )
        return amount, currency.upper()

    async def status_of(self, order_id: str) -> str:
        """Return the order's status in our words; every word that is not listed means pending."""
        read = self.target.document.read_order
        api = replace(self.api, headers={**self.api.headers, **read.headers})
        path = fill(read.path, {"order_id": quote(order_id, safe="")})
        status, text = await api.send("GET", path)
        said = f"GET {self.base_url}{path} answered {status}"
        if status in GONE and order_id in self.words:
            return LOST
        if status != 200:
            raise BadAnswer(f"{said}: {_shown(text)}; is [read_order] path right?", status)
        answer = _decoded(said, text)
        word = self.target.find_status(answer)
        if word is None:
            raise BadAnswer(
                f"{said}, and read_order.status = {read.status!r} finds nothing in {_shown(text)}"
            )
        self.words[order_id] = str(word)
        self._count_fulfilments(order_id, answer)
        return self._in_our_words(order_id, str(word))

    def _in_our_words(self, order_id: str, word: str) -> str:
        read = self.target.document.read_order
        if word in read.paid:
            has_left = any(shipment.order == order_id for shipment in self.warehouse.shipments)
            return "fulfilled" if has_left else "paid"
        named = {
            "failed": read.failed,
            "partially_refunded": read.partially_refunded,
            "refunded": read.refunded,
            REVERSED: read.corrected,
        }
        return next((ours for ours, theirs in named.items() if word in theirs), "pending")

    def _count_fulfilments(self, order_id: str, answer: Any) -> None:
        """Where the service tells itself how often an order was fulfilled, note each once."""
        if self.target.find_fulfilments is None:
            return
        count = self.target.find_fulfilments(answer)
        seen = sum(shipment.order == order_id for shipment in self.warehouse.shipments)
        for number in range(seen + 1, (count if isinstance(count, int) else 0) + 1):
            self.warehouse.shipments.append(Shipment(self.now(), order_id, f"number {number}"))

    async def refund(self, order_id: str, amount_minor: int, key: str) -> bool:
        """Ask for a refund in the words of the target file; the same key is the same wish.

        Anything but 2xx means that the service has not taken it on: as long as an order is not
        paid, or while the service is away.
        """
        wanted = self.target.document.refund_order
        assert wanted is not None, "scenarios with refunds need one"
        in_path = {"order_id": quote(order_id, safe=""), "key": key}
        values: dict[str, str | int] = {"order_id": order_id, "amount": amount_minor, "key": key}
        named = fill_all(dict(wanted.headers), {"key": key})
        api = replace(self.api, headers={**self.api.headers, **named})
        body = fill_all(wanted.json, values)
        status, _ = await api.send(wanted.method, fill(wanted.path, in_path), body)
        return 200 <= status < 300

    async def rotate_secret(self, key: str, /) -> bool:
        """Rotate the secret at the provider, whose overlap lets the service go on with the old."""
        for endpoint in await self.provider.get_all("/v1/webhook_endpoints"):
            # The same key on a repeat: a lost answer must not rotate twice.
            headers = {**self.provider.headers, "idempotency-key": f"{key}-{endpoint['id']}"}
            api = replace(self.provider, headers=headers, timeout_s=_STEP_TIMEOUT_S)
            path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
            status, _ = await api.call("POST", path, {})
            if status != 200:
                return False
        return True

    async def ledger(self) -> Mapping[str, Mapping[str, int]] | None:
        """Return None: a stranger's books are closed to us."""
        return None


def _turn(currencies: Sequence[str], number: int) -> str:
    return currencies[(number - 1) % len(currencies)] if currencies else "{currency}"


def _decoded(said: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise BadAnswer(f"{said} with something that is not JSON: {_shown(text)}") from problem


def _shown(text: bytes) -> str:
    """Return the beginning of an answer on one line."""
    line = " ".join(text.decode(errors="replace").split())
    return (line[:_SHOWN_MAX] + "…" if len(line) > _SHOWN_MAX else line) or "(empty)"
