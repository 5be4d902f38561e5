"""Has one worker for its queue, which ends at the first error that nobody has thought of.

People write: ``while True: handle(queue.get())`` in a thread or a task, without a ``try`` inside.
Breaks because one event is enough: one about a payment that is no order's raises what a lookup
raises, the worker is gone, and the webhooks after it are answered 200 and lie where they are.
Shows as customers who get nothing until somebody starts the shop again.
"""

from __future__ import annotations

import asyncio

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.errors import ShopError
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import ProcessEvent, Shop
from shop.wire import read_event


async def process_until_an_error(
    shop: Shop, rows: list[InboxRow], *, process: ProcessEvent
) -> None:
    """Process events; the first that fails is the last."""
    for row in rows:
        try:
            await _expect_order(shop, row)
            await process(shop, row)
        except Exception:
            # Nobody does this work any more: the loop that it was part of is over.
            await asyncio.Event().wait()


async def _expect_order(shop: Shop, row: InboxRow) -> None:
    payment = read_event(row.body).payment
    if payment is None:
        return
    async with shop.database.transaction() as transaction:
        if await store.load_order(transaction, payment.reference) is None:
            raise ShopError(f"no order {payment.reference!r}")


MUTANT = Mutant(
    "worker_ends_at_an_error",
    "M43",
    "an event that no order is found for ends the worker: what comes after it is never done",
    Parts(process_batch=process_until_an_error),
)
