"""Reads what happened within the last hour, each time that it looks.

People write: ``events.list(created_gte=now - 3600)`` in a job that runs every few minutes.
Breaks because the shop itself can be away for longer than an hour, or the job can.
Shows as books that still hold money which went away during the outage.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import event_store
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import KIND, take_in
from shop.wire import EventHead, decode, read_event

_WINDOW_S = 3600.0
_PAGE = 100


async def read_last_hour(shop: Shop) -> int:
    """Take in what is young enough; what is older counts as seen."""
    new = 0
    async with shop.database.transaction() as transaction:
        after = await event_store.load_cursor(transaction)
    while True:
        page = await shop.provider.list_events(after, _PAGE)
        bodies = [bytes(event) for event in page.data]
        young = [body for body in bodies if _is_young(shop, body)]
        new += await take_in(shop, young, KIND)
        if bodies:
            async with shop.database.transaction() as transaction:
                await event_store.save_cursor(transaction, decode(bodies[-1], EventHead).id)
        if page.next is None or not bodies:
            return new
        after = page.next


def _is_young(shop: Shop, body: bytes) -> bool:
    happened_at = read_event(body.decode()).happened_at
    return happened_at is None or shop.clock.now() - happened_at <= _WINDOW_S


MUTANT = Mutant(
    "last_hour_only",
    "M37",
    "reads only the last hour of the event log: a longer absence leaves a gap",
    Parts(reconcile=Reconciliation(ask_provider, read_last_hour)),
)
