"""Takes one event per payment, as if the payment's id named the event.

People write: ``UNIQUE (payment_id)`` on the table of webhooks, since "we want each payment once".
Breaks because a payment has several events: the first one, ``payment.processing``, takes the place,
and ``payment.succeeded`` looks like a repeat of it.
Shows as orders that are paid for and stay pending; with reconciliation only as long waits.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import payment_in
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop


async def store_once_per_payment(shop: Shop, webhook: SignedWebhook) -> None:
    """Store the webhook under the id of its payment."""
    payment = payment_in(webhook)
    key = webhook.id if payment is None else payment.id
    async with shop.database.transaction() as transaction:
        await store.insert_event(transaction, key, webhook.body.decode(), shop.clock.now())
    shop.wake.inbox.set()


MUTANT = Mutant(
    "dedupe_by_payment",
    "M05",
    "takes one event per payment: payment.processing swallows payment.succeeded",
    Parts(receive_webhook=store_once_per_payment),
)
