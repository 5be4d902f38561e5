"""Remembers each event for five minutes, as a cache with an expiry does.

People write: ``SET event:{id} NX EX 300``; a well known specification suggests the five minutes.
Breaks because providers go on trying for days, and people send events again by hand weeks later.
Shows as two fulfilments at the warehouse when an event comes again after an hour.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import handle_at_once, payment_in
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop

_REMEMBERED_S = 300.0


async def remember_for_a_while(shop: Shop, webhook: SignedWebhook) -> None:
    """Handle an event that is not in the cache, and put it there."""
    now = shop.clock.now()
    async with shop.database.transaction() as transaction:
        await transaction.execute("DELETE FROM inbox WHERE received_at < ?", now - _REMEMBERED_S)
        is_new = await store.insert_event(transaction, webhook.id, webhook.body.decode(), now)
        await store.close_event(transaction, webhook.id, store.DONE)
    payment = payment_in(webhook)
    if is_new and payment is not None:
        await handle_at_once(shop, payment)


MUTANT = Mutant(
    "forgets_after_minutes",
    "M04",
    "remembers seen events for five minutes: one that comes again later ships again",
    Parts(receive_webhook=remember_for_a_while),
)
