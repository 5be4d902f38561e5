"""Every delivery books the money and ships the goods again.

People write: ``if event.type == "payment.succeeded": mark_paid(order); ship(order)``, and have
never seen the same webhook twice, because their own test sends it once.
Breaks because delivery is at least once: every provider repeats a webhook whose answer it missed.
Shows as two fulfilments of one order at the warehouse, and as twice the money in the ledger.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import handle_at_once, payment_in
from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop


async def handle_every_delivery(shop: Shop, webhook: SignedWebhook) -> None:
    """Do what the webhook says, without a look at whether it was done before."""
    payment = payment_in(webhook)
    if payment is not None:
        await handle_at_once(shop, payment)


MUTANT = Mutant(
    "no_dedupe",
    "M01",
    "every delivery of a webhook books and ships again",
    Parts(receive_webhook=handle_every_delivery),
)
