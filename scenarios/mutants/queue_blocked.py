"""Works off its queue in order, and does not go on before the first event is done.

People write: ``while event := queue.peek(): handle(event); queue.pop()``, with a look at the
payment in the handler, since "order matters".
Breaks because one event that cannot be handled now, or ever, keeps all others waiting.
Shows as customers who wait for hours for what is none of their business.
"""

from __future__ import annotations

import asyncio

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import ShopError
from shop.domain.inbox import InboxRow
from shop.parts import Parts
from shop.ports import ProcessEvent, Shop
from shop.wire import read_event


async def process_first_in_first_out(
    shop: Shop, rows: list[InboxRow], *, process: ProcessEvent
) -> None:
    """Process events until one fails; then wait and begin again with that one."""
    for row in rows:
        try:
            payment = read_event(row.body).payment
            if payment is not None:
                await shop.provider.fetch_payment(payment.id)
            await process(shop, row)
        except ShopError:
            await asyncio.sleep(shop.settings.retry_first_delay_s)
            return


MUTANT = Mutant(
    "queue_blocked",
    "M43",
    "one event that cannot be handled keeps all those behind it waiting",
    Parts(process_batch=process_first_in_first_out),
)
