"""Looks whether the event was seen, ships, and only then notes that it was seen.

People write: ``if seen(event.id): return; ship(order); remember(event.id)``, which is the first
pattern in many guides.
Breaks because shipping takes time: a second delivery that arrives meanwhile also finds nothing.
Shows as two fulfilments at the warehouse when the same webhook arrives twice at the same moment.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import payment_in, ship_then_note, update_order
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.order import OrderStatus, status_after
from shop.domain.payment import Payment
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop


async def look_act_remember(shop: Shop, webhook: SignedWebhook) -> None:
    """Three steps with other people's time in between."""
    async with shop.database.transaction() as transaction:
        seen = await transaction.fetch_one(
            "SELECT event_id FROM inbox WHERE event_id = ?", webhook.id
        )
    if seen is not None:
        return
    payment = payment_in(webhook)
    if payment is not None and status_after(payment) is OrderStatus.PAID:
        await _ship_now(shop, payment)
    async with shop.database.transaction() as transaction:
        await store.insert_event(transaction, webhook.id, webhook.body.decode(), shop.clock.now())
        await store.close_event(transaction, webhook.id, store.DONE)
        if payment is not None and status_after(payment) is not OrderStatus.PAID:
            await update_order(transaction, payment)


async def _ship_now(shop: Shop, payment: Payment) -> None:
    async with shop.database.transaction() as transaction:
        order, _ = await update_order(transaction, payment)
    await ship_then_note(shop, payment, order)


MUTANT = Mutant(
    "check_then_act_dedupe",
    "M02",
    "looks for the event, ships, then remembers the event: two deliveries at once both ship",
    Parts(receive_webhook=look_act_remember),
)
