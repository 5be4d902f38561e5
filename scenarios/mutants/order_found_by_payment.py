"""Finds the order by the payment's id, which it learns from the answer to its request.

People write: ``Order.get(payment_id=event.payment)``, and answer 200 when there is none, since it
must be somebody else's.
Breaks because a webhook can be faster than the answer: the order does not know its payment yet.
Shows as an order that is paid for and stays pending, when the answer comes last.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def process_known_payments(shop: Shop, row: InboxRow) -> None:
    """Process an event about a payment that some order has noted; drop every other."""
    payment = read_event(row.body).payment
    if payment is not None:
        async with shop.database.transaction() as transaction:
            found = await transaction.fetch_one(
                "SELECT id FROM orders WHERE payment_id = ?", payment.id
            )
            if found is None:
                await store.close_event(transaction, row.event_id, store.DONE)
                return
    await process_event(shop, row)


MUTANT = Mutant(
    "order_found_by_payment",
    "M28",
    "drops a webhook that is faster than the answer which names its payment",
    Parts(process_event=process_known_payments),
)
