"""Answers 200 and goes on in the background, with the webhook in memory only.

People write: ``create_task(handle(event)); return 200``, because "answer fast" is what every guide
says, and "after storing it" is what few of them add.
Breaks because the 200 tells the provider to forget the webhook, and a crash makes the shop forget
it too. So does any error in the background: nobody is left to try again.
Shows as an order that is paid for and stays pending, when the shop dies right after a 200 or the
provider cannot be asked at that moment; with reconciliation only as a long wait.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from scenarios.mutants.by_hand import handle_or_log
from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop

# The loop itself keeps only weak references to its tasks.
_UNDER_WAY: WeakKeyDictionary[Shop, set[asyncio.Task[None]]] = WeakKeyDictionary()


async def answer_then_handle(shop: Shop, webhook: SignedWebhook) -> None:
    """Return at once; the work is only a task by then."""
    tasks = _UNDER_WAY.setdefault(shop, set())
    task = asyncio.create_task(handle_or_log(shop, webhook))
    tasks.add(task)
    task.add_done_callback(tasks.discard)


MUTANT = Mutant(
    "acknowledge_before_storing",
    "M09",
    "answers 200 while the webhook is in memory only: a crash loses it",
    Parts(receive_webhook=answer_then_handle),
)
