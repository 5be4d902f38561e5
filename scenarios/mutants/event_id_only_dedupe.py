"""Drops a repeated event id, and takes every other event for something new.

People write: ``UNIQUE (event_id)`` and feel safe, with effects that carry no id of their own.
Breaks because providers sometimes make two events of one fact, each with its own id (Stripe's
documentation says so and advises to look at the object).
Shows as two fulfilments at the warehouse when a fact arrives twice under different ids.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import book_afresh, fresh_fulfilment, update_order
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.wire import read_event


async def process_each_event(shop: Shop, row: InboxRow) -> None:
    """Book and ship for each event that says that a payment has succeeded."""
    payment = read_event(row.body).payment
    async with shop.database.transaction() as transaction:
        await store.close_event(transaction, row.event_id, store.DONE)
        if payment is not None:
            order, succeeded = await update_order(transaction, payment)
            if succeeded:
                await book_afresh(shop, transaction, payment)
                fulfilment = fresh_fulfilment(shop, order)
                await store.insert_fulfilment(transaction, fulfilment, shop.clock.now())
    shop.wake.fulfilments.set()


MUTANT = Mutant(
    "event_id_only_dedupe",
    "M06",
    "two events of one fact, with different ids, book and ship twice",
    Parts(process_event=process_each_event),
)
