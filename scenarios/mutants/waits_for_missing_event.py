"""Processes the events of a payment strictly in order: one that is missing is waited for.

People write: ``if event.sequence != last + 1: raise TryAgainLater``, since order is not guaranteed
and must be made.
Breaks because the missing one may come after hours, or never, and the newer one has all that is
needed: it says how the payment stands.
Shows as an acknowledged success that is not acted upon because an older event got lost.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import ChangedMeanwhile
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def process_in_sequence(shop: Shop, row: InboxRow) -> None:
    """Put off an event whose predecessor was not processed yet. Raises ChangedMeanwhile."""
    payment = read_event(row.body).payment
    if payment is None:
        await process_event(shop, row)
        return
    name = f"sequence of {payment.id}"
    async with shop.database.transaction() as transaction:
        last = await transaction.fetch_one("SELECT * FROM event_cursors WHERE name = ?", name)
    if payment.sequence > (1 if last is None else int(last["event_id"]) + 1):
        raise ChangedMeanwhile(f"event {row.event_id} came before an older one")
    await process_event(shop, row)
    async with shop.database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO event_cursors (name, event_id) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
            name,
            str(payment.sequence),
        )


MUTANT = Mutant(
    "waits_for_missing_event",
    "M43",
    "does not process an event before the one that happened before it has come",
    Parts(process_event=process_in_sequence),
)
