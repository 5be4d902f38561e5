"""``long-polling``: a held question for each open order, answered when its payment changes."""

from __future__ import annotations

import logging

from shop import queues
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Shop
from shop.queues import Due
from shop.settings import LONG_POLLING
from shop.tracking.ask_provider import apply_answer
from shop.tracking.event_log import event_log_workers
from shop.tracking.webhooks import inbox_worker
from shop.workers import Work, work_off

_LOG = logging.getLogger("shop")
# A provider that does not hold the question answers at once: that is then polling, no faster.
_HELD_AT_LEAST_S = 1.0
_PAYMENT_IS_THERE_AFTER_S = 0.1


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Hold a question about each open order; corrections of settled ones come from the log."""

    async def take_open_orders(room: int) -> Due[Order]:
        settings = shop.settings
        lease_s = settings.long_polling_wait_s + 3 * settings.psp_timeout_s
        async with shop.database.transaction() as transaction:
            return await queues.take_orders_to_check(
                transaction,
                shop.clock.now(),
                room,
                first_after_s=min(_PAYMENT_IS_THERE_AFTER_S, settings.polling_interval_s),
                delay_after_check=lambda _checks: lease_s,
                look_s=settings.look_interval_s,
            )

    async def ask(order: Order) -> None:
        if order.payment_id is None:
            await _wait_for_payment_id(shop, parts, order)
        else:
            await _hold(shop, order, order.payment_id)

    return [
        work_off(
            "long-polling for an order",
            take_open_orders,
            ask,
            wake=shop.wake.checks,
            clock=shop.clock,
            at_once=shop.settings.long_polls_at_once,
            moves_forward=False,
        ),
        inbox_worker(shop, parts),
        *event_log_workers(shop, parts.reconcile.read_events),
    ]


async def _wait_for_payment_id(shop: Shop, parts: Parts, order: Order) -> None:
    """The payment is requested first; ask by our reference only if that takes suspiciously long."""
    interval_s = shop.settings.polling_interval_s
    if shop.clock.now() - order.created_at < interval_s:
        await _again(shop, order, min(_PAYMENT_IS_THERE_AFTER_S, interval_s))
        return
    await parts.poll(shop, order)
    await _again(shop, order, interval_s)


async def _hold(shop: Shop, order: Order, payment_id: str) -> None:
    """Wait for the payment's next change, apply it, and have the order asked about again."""
    measured, settings = shop.measured, shop.settings
    asked_at = shop.clock.now()
    useless = measured.useless[LONG_POLLING]
    measured.requests[LONG_POLLING] += 1
    measured.held[LONG_POLLING] += 1
    try:
        payment = await shop.provider.wait_for_payment(
            payment_id, order.holdings.sequence, settings.long_polling_wait_s
        )
    except (ProviderUnavailable, UnreadableAnswer) as problem:
        measured.failed[LONG_POLLING] += 1
        _LOG.info("cannot ask about order %s: %s", order.id, problem.detail)
        await _again(shop, order, settings.polling_interval_s)
        return
    finally:
        measured.held[LONG_POLLING] -= 1
    await apply_answer(shop, order, (payment,), LONG_POLLING)
    is_news = measured.useless[LONG_POLLING] == useless
    was_held = shop.clock.now() - asked_at >= min(_HELD_AT_LEAST_S, settings.long_polling_wait_s)
    await _again(shop, order, 0.0 if is_news or was_held else settings.polling_interval_s)


async def _again(shop: Shop, order: Order, delay_s: float) -> None:
    async with shop.database.transaction() as transaction:
        await queues.check_again(transaction, order.id, shop.clock.now() + delay_s)
    shop.wake.checks.set()
