"""Drops events that are not newer than the last one, counted in whole seconds.

People write: ``if event.created <= order.last_event_at: return`` to be safe from late events, with
times in whole seconds as several providers have them.
Breaks because two events of one payment can happen within one second: the second is dropped.
Shows as an order that is paid for and stays pending, when the payment succeeds at once.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def process_newer(shop: Shop, row: InboxRow) -> None:
    """Process an event whose second is later than that of the last one of the order."""
    event = read_event(row.body)
    if event.payment is not None and event.happened_at is not None:
        second, name = int(event.happened_at), f"second of {event.payment.reference}"
        async with shop.database.transaction() as transaction:
            last = await transaction.fetch_one("SELECT * FROM event_cursors WHERE name = ?", name)
            if last is not None and second <= int(last["event_id"]):
                await store.close_event(transaction, row.event_id, store.DONE)
                return
            await transaction.execute(
                "INSERT INTO event_cursors (name, event_id) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
                name,
                str(second),
            )
    await process_event(shop, row)


MUTANT = Mutant(
    "watermark_in_seconds",
    "M12",
    "drops an event that happened in the same second as the one before",
    Parts(process_event=process_newer),
)
