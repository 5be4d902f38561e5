"""``polling``: every open order comes out again and again, always after the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shop import queues
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Shop
from shop.queues import Due
from shop.tracking.event_log import event_log_workers
from shop.tracking.webhooks import inbox_worker
from shop.workers import Work, work_off


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Ask about each open order; corrections of settled ones come from the event log."""
    interval_s = shop.settings.polling_interval_s
    return polling_workers(
        shop, parts, first_after_s=interval_s, delay_after_check=lambda _checks: interval_s
    )


def polling_workers(
    shop: Shop,
    parts: Parts,
    *,
    first_after_s: float,
    delay_after_check: Callable[[int], float],
) -> list[Work]:
    """What every polling shop does; ``delay_after_check`` has the number of checks so far."""

    async def take_open_orders(room: int) -> Due[Order]:
        async with shop.database.transaction() as transaction:
            return await queues.take_orders_to_check(
                transaction,
                shop.clock.now(),
                room,
                first_after_s=first_after_s,
                delay_after_check=delay_after_check,
                look_s=shop.settings.look_interval_s,
            )

    return [
        work_off(
            "polling for an order",
            take_open_orders,
            partial(parts.poll, shop),
            wake=shop.wake.checks,
            clock=shop.clock,
            at_once=shop.settings.requests_at_once,
            moves_forward=False,
        ),
        inbox_worker(shop, parts),
        *event_log_workers(shop, parts.reconcile.read_events),
    ]
