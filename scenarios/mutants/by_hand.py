"""What several broken shops share: handling a webhook right where it arrives, with fresh ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from shop import store
from shop.apply_outcome import apply_outcome
from shop.domain.catalogue import Item, price
from shop.domain.errors import ProviderUnavailable, ShopError
from shop.domain.fulfilment import Fulfilment
from shop.domain.ledger import entry_for_capture
from shop.domain.order import Order, OrderStatus, fulfilled, later_of, status_after
from shop.domain.payment import Payment, PaymentReported
from shop.domain.webhook_signature import SignedWebhook
from shop.fulfil_order import fulfil_order
from shop.ports import Shop
from shop.wire import read_event
from sqlport import Transaction

_LOG = logging.getLogger("shop")


def new_order(shop: Shop, items: Sequence[Item], email: str, currency: str | None) -> Order:
    """An order that is stored nowhere yet. Raises UnknownProduct or MixedCurrencies."""
    amount_minor, currency = price(items, currency)
    return Order(
        id=shop.new_id("ord"),
        status=OrderStatus.PENDING,
        amount_minor=amount_minor,
        currency=currency,
        email=email,
        items=tuple(items),
        created_at=shop.clock.now(),
    )


def payment_in(webhook: SignedWebhook) -> Payment | None:
    """The payment that a webhook is about; None if it is of no interest or cannot be read."""
    try:
        return read_event(webhook.body.decode()).payment
    except (ShopError, UnicodeDecodeError):
        return None


def fresh_fulfilment(shop: Shop, order: Order) -> Fulfilment:
    """A fulfilment with an id of its own, so that the warehouse cannot tell a repeat."""
    return Fulfilment(shop.new_id("ful"), order.id, order.items)


async def update_order(transaction: Transaction, payment: Payment) -> tuple[Order, bool]:
    """Move the order as the payment says; return it and whether the payment has succeeded."""
    known = await store.load_order(transaction, payment.reference)
    if known is None:
        raise ShopError(f"no order {payment.reference}")
    learnt = status_after(payment)
    order = replace(known, status=later_of(known.status, learnt), payment_id=payment.id)
    await store.save_order(transaction, known, order)
    return order, learnt is OrderStatus.PAID


async def book_afresh(shop: Shop, transaction: Transaction, payment: Payment) -> None:
    """Book the money under an id of its own, so that the ledger cannot tell a repeat."""
    entry = replace(entry_for_capture(payment), id=shop.new_id("entry"))
    await store.insert_entry(transaction, entry, shop.clock.now())


async def note_shipped(
    shop: Shop, transaction: Transaction, payment: Payment, fulfilment: Fulfilment
) -> None:
    """Write down, after the warehouse has taken it, what should have been stored before."""
    order, _ = await update_order(transaction, payment)
    await store.save_order(transaction, order, fulfilled(order))
    await book_afresh(shop, transaction, payment)
    await store.insert_fulfilment(transaction, fulfilment, shop.clock.now(), store.DELIVERED)


async def handle_at_once(shop: Shop, payment: Payment) -> None:
    """Update the order, book the money and ship, in one transaction, as if for the first time."""
    async with shop.database.transaction() as transaction:
        order, succeeded = await update_order(transaction, payment)
        if succeeded:
            await book_afresh(shop, transaction, payment)
            fulfilment = fresh_fulfilment(shop, order)
            await store.insert_fulfilment(transaction, fulfilment, shop.clock.now())
    shop.wake.fulfilments.set()


async def ship_then_note(shop: Shop, payment: Payment, order: Order) -> None:
    """Ship, and write it down only when that is done. Raises ProviderUnavailable."""
    fulfilment = fresh_fulfilment(shop, order)
    if not await fulfil_order(shop, fulfilment):
        raise ProviderUnavailable("the warehouse does not answer: deliver this again")
    async with shop.database.transaction() as transaction:
        await note_shipped(shop, transaction, payment, fulfilment)


async def handle_or_log(shop: Shop, webhook: SignedWebhook) -> None:
    """Look at the payment and act upon it; what goes wrong on the way is only noted."""
    payment = payment_in(webhook)
    if payment is None:
        return
    try:
        payment = await shop.provider.fetch_payment(payment.id)
        await apply_outcome(shop, payment.reference, PaymentReported(payment))
    except ShopError as problem:
        _LOG.warning("webhook %s failed: %s", webhook.id, problem.detail)
