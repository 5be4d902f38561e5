"""The first order on a service that nobody here knows, and what it tells of the target file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx

from scenarios.api import BadAnswer
from scenarios.endpoints import read_endpoints
from scenarios.errors import Unreachable
from scenarios.evidence import FAILED, PAID
from scenarios.observe import read_deliveries
from scenarios.shop_under_test import PlacedOrder
from scenarios.stage import Stage
from scenarios.targets.external_shop import ExternalShop

_LOOK_EVERY_S = 0.1
_REGISTERS_WITHIN_S = 10.0
_SETTLED = (*PAID, *FAILED)
_AT_REST = tuple(status for status in _SETTLED if status != "paid")
_REFUSED = re.compile(r'psp_requests_total\{operation="create_payment",status="(4\d\d)"\}')


async def try_out(shop: ExternalShop, stage: Stage, patience_s: float) -> str | None:
    """Buy once and look at the order until its goods leave, for ``patience_s`` seconds at most.

    Returns what seems not to be right yet, with the key to look at, or None: the service may be
    right and the file wrong, or the other way round. Raises Unreachable with what has to be put
    right before anything can be played.
    """
    if shop.target.document.webhook.url is None:
        await _wait_for_an_endpoint(stage)
    placed = await _buy(shop, stage.seed)
    order_id = placed.id
    ends_at = stage.now() + patience_s
    status = await _status(shop, order_id)
    while status not in _AT_REST and stage.now() < ends_at:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            status = await shop.status_of(order_id)
        except (httpx.HTTPError, BadAnswer):
            continue
    return await _what_is_not_right(shop, stage, placed, status)


async def _wait_for_an_endpoint(stage: Stage) -> None:
    """Return when the service has registered its webhook. Raises Unreachable if it does not."""
    ends_at = stage.now() + _REGISTERS_WITHIN_S
    while not await read_endpoints(stage):
        if stage.now() >= ends_at:
            raise Unreachable(
                "the service registered no webhook endpoint at the provider: name the path that "
                "takes webhooks in [webhook] url, or let it call {psp_url}/v1/webhook_endpoints"
            )
        await asyncio.sleep(_LOOK_EVERY_S)


async def _buy(shop: ExternalShop, seed: int) -> PlacedOrder:
    document = shop.target.document
    where = f"{document.place_order.method} {shop.base_url}{document.place_order.path}"
    try:
        placed = await shop.place_order(seed, 1)
    except httpx.HTTPError as problem:
        raise Unreachable(
            f"{where} was not answered ({type(problem).__name__}): is the service running there?"
        ) from problem
    if placed is None:
        raise Unreachable(f"{where} answered that it cannot take an order now: is it set up?")
    return placed


async def _status(shop: ExternalShop, order_id: str) -> str:
    try:
        return await shop.status_of(order_id)
    except httpx.HTTPError as problem:
        raise Unreachable(
            f"order {order_id} was placed and cannot be read: {type(problem).__name__}"
        ) from problem
    except BadAnswer as problem:
        raise Unreachable(str(problem)) from problem


async def _what_is_not_right(
    shop: ExternalShop, stage: Stage, placed: PlacedOrder, status: str
) -> str | None:
    order_id = placed.id
    payments = await stage.provider.get_all("/v1/payments")
    own = [payment for payment in payments if payment["reference"] == order_id]
    if not own:
        return await _why_no_payment(stage, order_id, payments)
    if wrong_price := _wrong_price(placed, own[0]):
        return wrong_price
    refusal = _refusal(await read_deliveries(stage, await read_endpoints(stage)))
    if refusal is not None or status in _SETTLED:
        return refusal or _why_no_goods(shop, order_id, status)
    if not any(payment["status"] == "succeeded" for payment in own):
        return None
    return (
        f"the payment of order {order_id} succeeded, and its status is {shop.words[order_id]!r}: "
        "does the service act upon webhooks, and are the words in [read_order] right?"
    )


def _wrong_price(placed: PlacedOrder, payment: Mapping[str, Any]) -> str | None:
    price = (placed.amount_minor, placed.currency)
    if placed.amount_minor is None or price == (payment["amount"], payment["currency"]):
        return None
    return (
        f"order {placed.id} costs {placed.amount_minor} {placed.currency} (minor units), and a "
        f"payment of {payment['amount']} {payment['currency']} was requested: they have to be the "
        "same; are amounts counted in whole minor units, and is [place_order] amount right?"
    )


async def _why_no_payment(stage: Stage, order_id: str, payments: list[Mapping[str, Any]]) -> str:
    if payments:
        return (
            f"a payment was requested with the reference {payments[0]['reference']!r}, and the "
            f"order is {order_id!r}: they have to be the same; is [place_order] order_id right?"
        )
    _, metrics = await stage.provider.send("GET", "/metrics")
    refused = _REFUSED.search(metrics.decode())
    if refused is None:
        return (
            f"no payment of order {order_id} was requested: does the service call "
            "{psp_url}/v1/payments, and did it get {psp_url} in [env]?"
        )
    if refused[1] == "401":
        return (
            "the provider refused the service's key (401): does it send "
            "Authorization: Bearer {psp_key}, and did it get {psp_key} in [env]?"
        )
    return f"POST /v1/payments was answered with {refused[1]}: the answer says why"


def _why_no_goods(shop: ExternalShop, order_id: str, status: str) -> str | None:
    """Say why the goods of a paid order seem not to have left, if they have not."""
    if status != "paid":
        return None
    if shop.target.find_fulfilments is not None:
        return (
            f"order {order_id} is paid, and shows no fulfilment: "
            "is [read_order] fulfilments right? It has to find a number"
        )
    if shop.warehouse.shipments:
        told = shop.warehouse.shipments[0].order
        return (
            f"the warehouse was told of order {told!r}, and the order is {order_id!r}: they have "
            "to be the same; is [place_order] order_id right?"
        )
    return (
        f"order {order_id} is paid, and nothing came to the warehouse: does the service call "
        "{warehouse_url}, or does its order show fulfilments, for [read_order] fulfilments?"
    )


def _refusal(deliveries: list[Mapping[str, Any]]) -> str | None:
    """Say what is wrong with webhooks if none of them was taken."""
    attempts = [attempt for delivery in deliveries for attempt in delivery["attempts"]]
    statuses = [attempt["status"] for attempt in attempts]
    if not attempts or any(status is not None and status < 300 for status in statuses):
        return None
    last = attempts[-1]
    if last["status"] is None:
        return f"webhooks do not arrive ({last['error']}): are [webhook] url and base_url right?"
    said = f"webhooks are answered with {last['status']}"
    if last["status"] in (404, 405, 410):
        return f"{said}: is [webhook] url right?"
    if last["status"] in (400, 401, 403):
        return (
            f"{said}: does the service verify with {{webhook_secret}}, and by the rules of "
            "[webhook] dialect?"
        )
    return f"{said}: {last['answer'][:120]}"
