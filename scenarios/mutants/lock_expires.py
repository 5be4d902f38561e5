"""Locks each event for half a minute while it works on it.

People write: ``with redis.lock(event.id, timeout=30):`` around the work, and nothing that outlives
the lock.
Breaks because the work can take longer than the lock lasts: a repeat finds the door open, and both
go on to the end.
Shows as two fulfilments at the warehouse when that is slow to answer.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from scenarios.mutants.by_hand import fresh_fulfilment, note_shipped, payment_in, update_order
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.order import OrderStatus, status_after
from shop.domain.payment import Payment
from shop.domain.webhook_signature import SignedWebhook
from shop.fulfil_order import fulfil_order
from shop.parts import Parts
from shop.ports import Shop

_LOCKED_S = 30.0
_TRIES = 30

# When each event's lock was taken, in one store for each running shop.
_LOCKS: WeakKeyDictionary[Shop, dict[str, float]] = WeakKeyDictionary()


async def work_under_lock(shop: Shop, webhook: SignedWebhook) -> None:
    """Do the work unless somebody is at it, or has done it."""
    locks, now = _LOCKS.setdefault(shop, {}), shop.clock.now()
    if now - locks.get(webhook.id, 0.0) < _LOCKED_S:
        return
    async with shop.database.transaction() as transaction:
        known = await transaction.fetch_one(
            "SELECT event_id FROM inbox WHERE event_id = ?", webhook.id
        )
    if known is not None:
        return
    locks[webhook.id] = now
    payment = payment_in(webhook)
    if payment is not None:
        await _work(shop, payment)
    async with shop.database.transaction() as transaction:
        await store.insert_event(transaction, webhook.id, webhook.body.decode(), now)
        await store.close_event(transaction, webhook.id, store.DONE)


async def _work(shop: Shop, payment: Payment) -> None:
    async with shop.database.transaction() as transaction:
        order, _ = await update_order(transaction, payment)
    if status_after(payment) is not OrderStatus.PAID:
        return
    fulfilment = fresh_fulfilment(shop, order)
    for _ in range(_TRIES):
        if await fulfil_order(shop, fulfilment):
            break
        await asyncio.sleep(shop.settings.retry_first_delay_s)
    async with shop.database.transaction() as transaction:
        await note_shipped(shop, transaction, payment, fulfilment)


MUTANT = Mutant(
    "lock_expires",
    "M50",
    "locks an event for half a minute and works on it for longer",
    Parts(receive_webhook=work_under_lock),
)
