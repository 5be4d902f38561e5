"""Asks the warehouse first, and then writes down that it did.

People write: ``warehouse.ship(order); order.status = "fulfilled"; session.commit()``, with the call
in the middle of the transaction.
Breaks because a call cannot be rolled back: if the process dies before the commit, the event is
handled again, and ships again.
Shows as two fulfilments at the warehouse when the shop dies right after the first.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import fresh_fulfilment, note_shipped
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.errors import ChangedMeanwhile, ProviderUnavailable
from shop.domain.fulfilment import Fulfilment
from shop.domain.inbox import InboxRow
from shop.domain.order import OrderStatus, status_after
from shop.domain.payment import Payment
from shop.fulfil_order import fulfil_order
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import process_event
from shop.wire import read_event


async def ship_then_commit(shop: Shop, row: InboxRow) -> None:
    """Ship for an event that says that a payment has succeeded; then all of its rows at once."""
    payment = read_event(row.body).payment
    if payment is None or status_after(payment) is not OrderStatus.PAID:
        await process_event(shop, row)
        return
    async with shop.database.transaction() as transaction:
        order = await store.load_order(transaction, payment.reference)
    if order is None or order.status is OrderStatus.FULFILLED:
        await process_event(shop, row)
        return
    fulfilment = fresh_fulfilment(shop, order)
    if not await fulfil_order(shop, fulfilment):
        raise ProviderUnavailable("the warehouse does not answer: try again")
    await _note(shop, row, payment, fulfilment)


async def _note(shop: Shop, row: InboxRow, payment: Payment, fulfilment: Fulfilment) -> None:
    async with shop.database.transaction() as transaction:
        if not await store.close_event(transaction, row.event_id, store.DONE):
            raise ChangedMeanwhile(f"event {row.event_id} was processed by somebody else")
        await note_shipped(shop, transaction, payment, fulfilment)


MUTANT = Mutant(
    "ships_before_commit",
    "M49",
    "asks the warehouse before it writes that down: a crash in between ships again",
    Parts(process_event=ship_then_commit),
)
