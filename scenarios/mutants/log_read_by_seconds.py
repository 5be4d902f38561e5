"""Reads from the event log what is younger than the youngest event that it has seen, by the second.

People write: ``events.list(created_gt=last_seen)``, and providers tell times in whole seconds.
Breaks because more can happen within the second of the youngest event, after the job has looked.
Shows as books that miss what no webhook told, if it happened right after something else.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import event_store
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import KIND, take_in
from shop.wire import EventHead, decode, read_event

_PAGE = 100
_YOUNGEST = "second of the youngest event"


async def read_younger_seconds(shop: Shop) -> int:
    """Take in what happened in a later second than all that was taken in before."""
    async with shop.database.transaction() as transaction:
        after = await event_store.load_cursor(transaction)
        row = await transaction.fetch_one("SELECT * FROM event_cursors WHERE name = ?", _YOUNGEST)
    youngest = seen = -1 if row is None else int(row["event_id"])
    new = 0
    while True:
        page = await shop.provider.list_events(after, _PAGE)
        bodies = [bytes(event) for event in page.data]
        seconds = [int(read_event(body.decode()).happened_at or 0.0) for body in bodies]
        younger = [body for body, at in zip(bodies, seconds, strict=True) if at > seen]
        new += await take_in(shop, younger, KIND)
        youngest = max(youngest, *seconds, -1)
        if bodies:
            await _note(shop, youngest, decode(bodies[-1], EventHead).id)
        if page.next is None or not bodies:
            return new
        after = page.next


async def _note(shop: Shop, youngest: int, last_event_id: str) -> None:
    async with shop.database.transaction() as transaction:
        await event_store.save_cursor(transaction, last_event_id)
        await transaction.execute(
            "INSERT INTO event_cursors (name, event_id) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
            _YOUNGEST,
            str(youngest),
        )


MUTANT = Mutant(
    "log_read_by_seconds",
    "M37",
    "reads events of later seconds than the last it saw: what else happens in that second is lost",
    Parts(reconcile=Reconciliation(ask_provider, read_younger_seconds)),
)
