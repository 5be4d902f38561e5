"""Remembers the events it has seen in a set, in the memory of the process.

People write: ``SEEN = set()`` beside the handler, or a cache that does not outlive the process.
Breaks because a restart forgets: the provider repeats a webhook whose answer was lost in the crash.
Shows as two fulfilments at the warehouse when the shop restarts between two deliveries.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from scenarios.mutants.by_hand import handle_at_once, payment_in
from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop

# One memory per running shop, as a process would have.
_SEEN: WeakKeyDictionary[Shop, set[str]] = WeakKeyDictionary()


async def remember_until_restart(shop: Shop, webhook: SignedWebhook) -> None:
    """Handle each event once per life of the process."""
    seen = _SEEN.setdefault(shop, set())
    if webhook.id in seen:
        return
    seen.add(webhook.id)
    payment = payment_in(webhook)
    if payment is None:
        return
    try:
        await handle_at_once(shop, payment)
    except Exception:
        seen.discard(webhook.id)
        raise


MUTANT = Mutant(
    "dedupe_in_memory",
    "M03",
    "remembers seen events in memory only: a restart forgets them",
    Parts(receive_webhook=remember_until_restart),
)
