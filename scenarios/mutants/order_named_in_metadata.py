"""Takes the order's number from the payment's metadata.

People write: ``order_id = event.data.metadata["order_id"]``, as most examples do.
Breaks because whoever makes a payment writes its metadata: a donation, a gift card or another
shop's sale can carry the number of an order that it does not pay for.
Shows as goods that leave for a payment that was made for something else.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.inbox import InboxRow
from shop.domain.payment import PaymentReported
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import decode, read_event


class _Data(msgspec.Struct):
    metadata: dict[str, str] = {}


class _Body(msgspec.Struct):
    data: _Data


async def process_for_named_order(shop: Shop, row: InboxRow) -> None:
    """Process an event for the order in its metadata, if there is one."""
    payment = read_event(row.body).payment
    named = None if payment is None else decode(row.body, _Body).data.metadata.get("order_id")
    if payment is None or named is None:
        await process_event(shop, row)
        return
    async with shop.database.transaction() as transaction:
        await store.close_event(transaction, row.event_id, store.DONE)
        order = await store.lock_order(transaction, named)
        if order is not None:
            decision = shop.decide(order, PaymentReported(replace(payment, reference=named)))
            step = store.Step(shop.clock.now(), row.source, "metadata")
            await store.save_decision(transaction, order, decision, step)
    shop.wake.fulfilments.set()


MUTANT = Mutant(
    "order_named_in_metadata",
    "M17",
    "believes the order's number in the metadata of any payment",
    Parts(process_event=process_for_named_order),
)
