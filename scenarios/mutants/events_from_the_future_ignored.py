"""Ignores events that, by its own clock, have not happened yet.

People write: ``if event.timestamp > now(): return`` beside the check of the signature's time, with
no tolerance, since nothing can have happened in the future.
Breaks because the shop's clock can be behind the provider's, and the event is acknowledged.
Shows as an order that is paid for and stays pending, while the shop's clock is minutes behind.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def process_the_past(shop: Shop, row: InboxRow) -> None:
    """Close an event that is later than now."""
    happened_at = read_event(row.body).happened_at
    if happened_at is not None and happened_at > shop.clock.now() + 1.0:
        async with shop.database.transaction() as transaction:
            await store.close_event(transaction, row.event_id, store.DONE)
        return
    await process_event(shop, row)


MUTANT = Mutant(
    "events_from_the_future_ignored",
    "M23",
    "ignores an event that, by its own clock, has not happened yet",
    Parts(process_event=process_the_past),
)
