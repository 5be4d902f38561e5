"""The one place where the shop is put together: settings and the outside world in, an app out.

Two services live in this package and share one database, so that an order, its payment request and
its fulfilment can be stored together (docs/shop.md has the picture):

- the **order service** takes orders, keeps the ledger and has orders fulfilled;
- the **payment service** requests payments and refunds, and learns what became of them in the way
  that ``--tracking`` says.

They meet in ``apply_outcome``: whatever the payment service learns goes through it, and nothing
else changes what an order's payment means.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from shop import store
from shop.database_away import DATABASE_AWAY
from shop.domain.errors import ShopError
from shop.fulfil_order import carry_out_shipment, take_due_shipments
from shop.http_operations import operation_routes
from shop.http_orders import order_routes
from shop.http_refunds import refund_routes
from shop.http_support import (
    RefuseZeroCharacter,
    on_database_error,
    on_http_error,
    on_shop_error,
    on_unexpected_error,
)
from shop.http_webhooks import webhook_routes
from shop.parts import Parts
from shop.ports import Clock, Shop
from shop.psp_client import PspClient
from shop.refund_order import carry_out_refund, take_due_refunds
from shop.register_endpoint import announce_endpoint
from shop.request_payment import carry_out_request, take_due_requests
from shop.settings import (
    EVENT_STREAM,
    LONG_POLLING,
    POLLING,
    POLLING_WITH_BACKOFF,
    WEBHOOKS,
    WEBHOOKS_AND_RECONCILIATION,
    Settings,
)
from shop.storefront.http_pages import storefront_routes
from shop.tracking import (
    event_stream,
    long_polling,
    polling,
    polling_backoff,
    reconciliation,
    webhooks,
)
from shop.wake_others import hear_others, tell_others
from shop.workers import LONGEST_SLEEP_S, Work, work_off
from sqlport import Database

_TRACKERS: dict[str, Callable[[Shop, Parts], list[Work]]] = {
    WEBHOOKS_AND_RECONCILIATION: reconciliation.workers,
    WEBHOOKS: webhooks.workers,
    POLLING: polling.workers,
    POLLING_WITH_BACKOFF: polling_backoff.workers,
    LONG_POLLING: long_polling.workers,
    EVENT_STREAM: event_stream.workers,
}


def create_app(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    random: random.Random,
    transport: httpx.AsyncBaseTransport,
    parts: Parts = Parts(),
) -> Starlette:
    """Put the shop together. Nothing happens until the app's lifespan starts.

    Args:
        settings: ``public_url`` has to be set if ``tracking`` uses webhooks
        database: open; the lifespan applies the schema, the caller closes it
        random: where ids come from; has to be unpredictable in production
        transport: the way to the provider and the warehouse
        parts: the steps to use; the defaults are the correct ones
    """
    provider = PspClient(
        transport, base_url=settings.psp, key=settings.psp_key, timeout_s=settings.psp_timeout_s
    )
    shop = Shop(settings, database, clock, random, transport, provider, parts.decide)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await database.apply_schema(store.SCHEMA)
        if settings.works and settings.uses_webhooks:
            await announce_endpoint(shop)
        work = _workers(shop, parts) if settings.works else tell_others(shop)
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    app = Starlette(
        routes=_routes(shop, parts),
        lifespan=lifespan,
        middleware=[Middleware(RefuseZeroCharacter)],
        exception_handlers={
            ShopError: on_shop_error,
            **dict.fromkeys(DATABASE_AWAY, on_database_error),
            HTTPException: on_http_error,
            Exception: on_unexpected_error,
        },
    )
    # Senders of webhooks do not follow redirects, so an address either works or does not exist.
    app.router.redirect_slashes = False
    return app


def _routes(shop: Shop, parts: Parts) -> list[Route]:
    """Every process says how it is doing; beside that, a worker answers nobody."""
    if not shop.settings.answers:
        return operation_routes(shop)
    # Routes are tried one after the other, and nobody is in more of a hurry than the provider.
    return [*_payment_routes(shop, parts), *_order_routes(shop, parts)]


def _order_routes(shop: Shop, parts: Parts) -> list[Route]:
    """The order service: what customers and their browsers use."""
    return [*order_routes(shop, parts.place_order), *storefront_routes()]


def _workers(shop: Shop, parts: Parts) -> list[Work]:
    return [*_order_workers(shop, parts), *_payment_workers(shop, parts), *hear_others(shop)]


def _order_workers(shop: Shop, parts: Parts) -> list[Work]:
    """The order service: paid orders go to the warehouse."""
    return [
        work_off(
            "fulfilling an order",
            partial(take_due_shipments, shop),
            partial(carry_out_shipment, shop, ask=parts.fulfil_order),
            wake=shop.wake.fulfilments,
            clock=shop.clock,
            at_once=shop.settings.requests_at_once,
            moves_forward=False,
            longest_sleep_s=LONGEST_SLEEP_S,
        )
    ]


def _payment_routes(shop: Shop, parts: Parts) -> list[Route]:
    """The payment service: what the provider calls, and what the merchant's staff uses."""
    receive: list[Route] = []
    if shop.settings.uses_webhooks:
        receive = webhook_routes(shop, parts.verify_webhook, parts.receive_webhook)
    return [*receive, *refund_routes(shop, parts.refund_order), *operation_routes(shop)]


def _payment_workers(shop: Shop, parts: Parts) -> list[Work]:
    """The payment service: payments and refunds are requested, and their outcomes learnt."""
    return [
        work_off(
            "requesting a payment",
            partial(take_due_requests, shop),
            partial(
                carry_out_request, shop, find=parts.find_old_payment, ask=parts.request_payment
            ),
            wake=shop.wake.requests,
            clock=shop.clock,
            at_once=shop.settings.requests_at_once,
            moves_forward=False,
            longest_sleep_s=LONGEST_SLEEP_S,
        ),
        work_off(
            "requesting a refund",
            partial(take_due_refunds, shop),
            partial(carry_out_refund, shop, ask=parts.request_refund),
            wake=shop.wake.refunds,
            clock=shop.clock,
            at_once=shop.settings.requests_at_once,
            moves_forward=False,
            longest_sleep_s=LONGEST_SLEEP_S,
        ),
        *_TRACKERS[shop.settings.tracking](shop, parts),
    ]
