"""Drops news of a refund that it cannot find among its own.

People write: ``refund = Refund.get(event.refund_id)`` and ignore the webhook if there is none, with
the id coming from the answer to the refund's request.
Breaks because the webhook can be faster than that answer; and because staff give money back at the
provider's console, too.
Shows as books that hold money which has gone back, when the answer is late or lost.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import refund_store, store
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def process_known_refunds(shop: Shop, row: InboxRow) -> None:
    """Close an event of a refund whose id no answer has told yet."""
    event = read_event(row.body)
    if event.payment is not None and event.type.startswith("refund."):
        async with shop.database.transaction() as transaction:
            for refund in event.payment.refunds:
                if await refund_store.wish_with(transaction, refund.id) is None:
                    await store.close_event(transaction, row.event_id, store.DONE)
                    return
    await process_event(shop, row)


MUTANT = Mutant(
    "refund_found_by_answer",
    "M28",
    "drops news of a refund that is faster than the answer which names the refund",
    Parts(process_event=process_known_refunds),
)
