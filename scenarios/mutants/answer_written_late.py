"""Asks the provider and writes down what it said, whatever has happened meanwhile.

People write: ``order = load(); payment = ask(); order.status = …; save(order)``: read, wait, write.
Breaks because the answer may be old when it arrives: a webhook was faster and knew more.
Shows over the public order API: a paid order goes back to pending.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.errors import ShopError
from shop.domain.order import Order, status_after
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import read_event_log


async def ask_and_overwrite(shop: Shop, order: Order) -> None:
    """Overwrite the order's status with what the answer says."""
    if order.payment_id is None:
        await ask_provider(shop, order)
        return
    try:
        payment = await shop.provider.fetch_payment(order.payment_id)
    except ShopError:
        return
    async with shop.database.transaction() as transaction:
        known = await store.load_order(transaction, order.id)
        if known is not None:
            await store.save_order(transaction, known, replace(known, status=status_after(payment)))


MUTANT = Mutant(
    "answer_written_late",
    "M35",
    "writes down the provider's answer although a webhook has told more meanwhile",
    Parts(reconcile=Reconciliation(ask_and_overwrite, read_event_log)),
)
