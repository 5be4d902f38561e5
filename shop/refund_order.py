"""A wish to refund comes in; it is stored with its key, and the provider is asked until it answers.

What becomes of the refund is learnt like everything else about the payment, never assumed: an
accepted refund is only on its way, and one that has succeeded can still fail.
"""

from __future__ import annotations

from shop import refund_store, store
from shop.domain.errors import OrderNotFound, ProviderUnavailable, UnreadableAnswer
from shop.domain.order import Order
from shop.domain.payment import NoAnswer, PaymentRefused, Refund
from shop.domain.refund import RefundStatus, WantedRefund, amount_to_refund
from shop.domain.retry import delay_after
from shop.ports import RequestRefund, Shop
from shop.queues import Due
from shop.refund_store import RefundTry
from sqlport import Transaction


async def refund_order(
    shop: Shop,
    order_id: str,
    amount_minor: int | None,
    reason: str | None,
    request_key: str | None = None,
) -> WantedRefund:
    """Store the wish; a worker asks the provider.

    Args:
        amount_minor: None refunds all that is left
        request_key: the caller's own; wishing again with the same key is the same wish
    Raises OrderNotFound, NotRefundable or RefundTooLarge.
    """
    async with shop.database.transaction() as transaction:
        # Locked: of two wishes at once the second one has to see the first.
        order = await store.lock_order(transaction, order_id)
        if order is None:
            raise OrderNotFound(f"there is no order {order_id!r}")
        if request_key is not None:
            before = await refund_store.find_refund(transaction, order_id, request_key)
            if before is not None:
                return before
        found = (await refund_store.refunds_of(transaction, [order_id])).get(order_id, [])
        wanted = WantedRefund(
            id=shop.new_id("ref"),
            order_id=order_id,
            idempotency_key=shop.new_id("key"),
            amount_minor=amount_to_refund(order, found, amount_minor),
            reason=reason,
            status=RefundStatus.REQUESTED,
            created_at=shop.clock.now(),
        )
        await refund_store.insert_refund(transaction, wanted, request_key)
    shop.wake.refunds.set()
    return wanted


async def take_due_refunds(shop: Shop, room: int) -> Due[RefundTry]:
    """Wanted refunds without a final answer, leased for as long as asking can take."""
    async with shop.database.transaction() as transaction:
        return await refund_store.take_refunds(
            transaction,
            shop.clock.now(),
            room,
            lease_s=3 * shop.settings.psp_timeout_s,
            look_s=shop.settings.look_interval_s,
        )


async def request_refund(
    shop: Shop, payment_id: str, wanted: WantedRefund
) -> Refund | PaymentRefused | NoAnswer:
    """Ask the provider once. The key is the wish's own: a repeat finds what the first ask made."""
    return await shop.provider.request_refund(payment_id, wanted)


async def carry_out_refund(shop: Shop, one: RefundTry, *, ask: RequestRefund) -> None:
    """Ask once; note the answer, or when to ask again with the same key."""
    wanted, payment_id = one.wanted, one.order.payment_id
    assert payment_id is not None, "only what was paid is refunded"
    answer: Refund | PaymentRefused | NoAnswer | None
    answer = await _find_old_refund(shop, one, payment_id)
    if answer is None:
        answer = await ask(shop, payment_id, wanted)
    async with shop.database.transaction() as transaction:
        order = await store.lock_order(transaction, one.order.id)
        assert order is not None, "a refund belongs to an order"
        if isinstance(answer, PaymentRefused):
            await refund_store.save_refused(transaction, wanted, answer.reason)
        elif isinstance(answer, NoAnswer):
            await _postpone(shop, transaction, one, answer)
        elif await refund_store.wish_with(transaction, answer.id) not in (None, wanted.id):
            # Two old wishes for one amount have found the same refund: it is the other one's.
            await _postpone(shop, transaction, one, NoAnswer("the refund belongs to another wish"))
        else:
            await _save_accepted(transaction, order, wanted, answer)
    shop.wake.checks.set()
    shop.wake.refunds.set()


async def _postpone(shop: Shop, transaction: Transaction, one: RefundTry, answer: NoAnswer) -> None:
    due_at = shop.clock.now() + _delay_s(shop, one.attempt, answer)
    await refund_store.postpone_refund(transaction, one.wanted.id, due_at)


async def _save_accepted(
    transaction: Transaction, order: Order, wanted: WantedRefund, made: Refund
) -> None:
    """Note the provider's refund, and have its outcome asked for unless it was told already."""
    await refund_store.save_accepted(transaction, wanted, made.id)
    told = {refund.id: refund.status for refund in order.holdings.refunds}
    if told.get(made.id, RefundStatus.PENDING) == RefundStatus.PENDING:
        await refund_store.await_outcome(transaction, order.id)


async def _find_old_refund(shop: Shop, one: RefundTry, payment_id: str) -> Refund | NoAnswer | None:
    """For a wish so old that the provider may have forgotten its key: what it made, if anything.

    A refund of the same amount that belongs to no other wish of ours is taken for this one: rather
    refund once too seldom than twice.
    """
    age_s = shop.clock.now() - one.wanted.created_at
    if one.attempt == 1 or age_s < shop.settings.ask_first_after_s:
        return None
    try:
        made = await shop.provider.list_refunds(payment_id)
    except (ProviderUnavailable, UnreadableAnswer) as problem:
        return NoAnswer(problem.detail)
    async with shop.database.transaction() as transaction:
        ours = await refund_store.refunds_of(transaction, [one.order.id])
    known = {wanted.id: wanted.refund_id for wanted in ours.get(one.order.id, [])}
    own = known.pop(one.wanted.id, None)
    for refund in made:
        is_like_it = (
            refund.id not in known.values() and refund.amount_minor == one.wanted.amount_minor
        )
        if refund.id == own or (own is None and is_like_it):
            return refund
    return None


def _delay_s(shop: Shop, attempt: int, answer: NoAnswer) -> float:
    settings = shop.settings
    delay_s = delay_after(
        attempt, first_s=settings.retry_first_delay_s, cap_s=settings.retry_delay_cap_s
    )
    return max(delay_s, min(answer.retry_after_s or 0.0, settings.retry_delay_cap_s))
