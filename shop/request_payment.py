"""A stored payment request comes in; the provider is asked, again and again with the same key."""

from __future__ import annotations

import logging

from shop import queues
from shop.apply_outcome import apply_outcome_within, wake_up_for
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.order import Decision, Order, OrderStatus
from shop.domain.payment import NoAnswer, PaymentOutcome, PaymentReported
from shop.domain.retry import delay_after
from shop.ports import FindOldPayment, RequestPayment, Shop
from shop.queues import Due, PaymentRequest

_LOG = logging.getLogger("shop")


async def request_payment(shop: Shop, order: Order, idempotency_key: str) -> PaymentOutcome:
    """Ask the provider once for the order's money.

    The key is the one that was stored with the order: if an earlier request did reach the
    provider, this one finds the payment that it made instead of making another.
    """
    return await shop.provider.request_payment(order, idempotency_key)


async def take_due_requests(shop: Shop, room: int) -> Due[PaymentRequest]:
    """Payment requests without a final answer, leased for as long as asking can take."""
    async with shop.database.transaction() as transaction:
        return await queues.take_payment_requests(
            transaction,
            shop.clock.now(),
            room,
            lease_s=3 * shop.settings.psp_timeout_s,
            look_s=shop.settings.look_interval_s,
        )


async def carry_out_request(
    shop: Shop, request: PaymentRequest, *, find: FindOldPayment, ask: RequestPayment
) -> None:
    """Ask, apply what was learnt, and plan the next try if that was nothing final."""
    outcome: PaymentOutcome | None = await find(shop, request.order, request.attempt)
    if outcome is None:
        outcome = await ask(shop, request.order, request.idempotency_key)
    async with shop.database.transaction() as transaction:
        decision = await apply_outcome_within(
            shop, transaction, request.order.id, outcome, "answer"
        )
        await queues.postpone_payment_request(
            transaction, request.order.id, _next_try_at(shop, request, outcome, decision)
        )
    wake_up_for(shop, decision)
    shop.wake.checks.set()
    if isinstance(outcome, NoAnswer):
        shop.wake.requests.set()
    if decision is not None and decision.set_aside is not None:
        _LOG.warning("set aside: %s", decision.set_aside)


def _next_try_at(
    shop: Shop, request: PaymentRequest, outcome: PaymentOutcome, decision: Decision | None
) -> float | None:
    """When to ask again: never once there is a final answer or the order has failed."""
    failed = decision is not None and decision.order.status is OrderStatus.FAILED
    if failed or not isinstance(outcome, NoAnswer):
        return None
    return shop.clock.now() + _delay_s(shop, request.attempt, outcome)


async def find_old_payment(
    shop: Shop, order: Order, attempt: int
) -> PaymentReported | NoAnswer | None:
    """For a request so old that the provider may have forgotten its key: what it made, if anything.

    Providers keep keys for a day or so (Stripe: at least 24 hours); repeated after that, the same
    key makes a second payment.
    """
    age_s = shop.clock.now() - order.created_at
    if attempt == 1 or age_s < shop.settings.ask_first_after_s:
        return None
    try:
        payments = await shop.provider.find_payments(order.id)
    except (ProviderUnavailable, UnreadableAnswer) as problem:
        return NoAnswer(problem.detail)
    return PaymentReported(payments[0]) if payments else None


def _delay_s(shop: Shop, attempt: int, outcome: NoAnswer) -> float:
    settings = shop.settings
    delay_s = delay_after(
        attempt, first_s=settings.retry_first_delay_s, cap_s=settings.retry_delay_cap_s
    )
    wished_s = min(outcome.retry_after_s or 0.0, settings.retry_delay_cap_s)
    return max(delay_s, wished_s)
