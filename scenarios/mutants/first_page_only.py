"""Reads one page of the event log, and takes it for the log.

People write: ``for event in api.events(limit=100).data:``, which was all of it for weeks.
Breaks because a list has pages: what does not stand on the first one is never seen.
Shows as books that miss what happened after the first hundred events and was told by no webhook.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import KIND, take_in

_PAGE = 100


async def read_first_page(shop: Shop) -> int:
    """Take in the first page; what was seen before does no harm."""
    page = await shop.provider.list_events(None, _PAGE)
    return await take_in(shop, [bytes(event) for event in page.data], KIND)


MUTANT = Mutant(
    "first_page_only",
    "M37",
    "reads only the first page of the event log: what stands on the next one is never seen",
    Parts(reconcile=Reconciliation(ask_provider, read_first_page)),
)
