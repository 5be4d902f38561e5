"""``webhooks+reconciliation``: beside the webhooks, the provider is asked, since they can get lost.

By order: about each order left open too long. By event: from the last one seen, which also finds
what happened to orders long settled.
"""

from __future__ import annotations

from functools import partial

from shop import queues
from shop.domain.order import Order
from shop.domain.retry import delay_after
from shop.parts import Parts
from shop.ports import Shop
from shop.queues import Due
from shop.tracking import webhooks
from shop.tracking.event_log import event_log_workers
from shop.workers import Work, work_off


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """What webhooks need, and both ways of asking."""
    return [
        *webhooks.workers(shop, parts),
        work_off(
            "reconciling an order",
            partial(take_stale_orders, shop),
            partial(parts.reconcile.check_order, shop),
            wake=shop.wake.checks,
            clock=shop.clock,
            at_once=shop.settings.requests_at_once,
            moves_forward=False,
        ),
        *event_log_workers(shop, parts.reconcile.read_events),
    ]


async def take_stale_orders(shop: Shop, room: int) -> Due[Order]:
    """Orders open for longer than ``reconcile_after_s`` that are due for a question.

    An order is never given up without asking: its money may have been taken.
    """
    settings = shop.settings
    async with shop.database.transaction() as transaction:
        return await queues.take_orders_to_check(
            transaction,
            shop.clock.now(),
            room,
            first_after_s=settings.reconcile_after_s,
            delay_after_check=lambda checks: delay_after(
                checks,
                first_s=settings.reconcile_interval_s,
                cap_s=settings.reconcile_interval_cap_s,
            ),
            look_s=settings.look_interval_s,
        )
