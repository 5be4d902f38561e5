"""Stores the order, and has its payment requested in the background, from memory.

People write: ``order = Order.create(…); background_tasks.add_task(charge, order)``.
Breaks because a crash takes the task with it: the order is there, and nobody ever asks for its
money.
Shows as an order that was confirmed and stays pending without a payment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from scenarios.mutants.by_hand import new_order
from scenarios.mutants.mutant import Mutant
from shop import queues, store
from shop.apply_outcome import apply_outcome
from shop.domain.catalogue import Item
from shop.domain.order import Order
from shop.domain.payment import NoAnswer
from shop.parts import Parts
from shop.ports import Shop

# The loop itself keeps only weak references to its tasks.
_UNDER_WAY: WeakKeyDictionary[Shop, set[asyncio.Task[None]]] = WeakKeyDictionary()


async def place_and_charge_later(
    shop: Shop, items: Sequence[Item], email: str, currency: str | None = None
) -> Order:
    """Store the order without a stored request; the request is only a task."""
    order = new_order(shop, items, email, currency)
    async with shop.database.transaction() as transaction:
        await store.insert_order(transaction, order, shop.new_id("key"))
        await queues.postpone_payment_request(transaction, order.id, None)
    tasks = _UNDER_WAY.setdefault(shop, set())
    task = asyncio.create_task(_charge(shop, order))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return order


async def _charge(shop: Shop, order: Order) -> None:
    """Ask until there is an answer, always with the same key."""
    while True:
        outcome = await shop.provider.request_payment(order, order.id)
        await apply_outcome(shop, order.id, outcome, "answer")
        if not isinstance(outcome, NoAnswer):
            return
        await asyncio.sleep(shop.settings.retry_first_delay_s)


MUTANT = Mutant(
    "requests_from_memory",
    "M09",
    "requests a payment from memory only: a crash leaves an order that nobody asks the money for",
    Parts(place_order=place_and_charge_later),
)
