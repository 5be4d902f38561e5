"""Takes one event of each type per payment.

People write: ``UNIQUE (payment_id, event_type)``, so that two events of one fact count once.
Breaks because some things happen to a payment more than once: each refund of a part has a
``refund.succeeded`` of its own.
Shows as books that know of the first refund only; with reconciliation only as a long wait.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import payment_in
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop
from shop.wire import EventHead, decode


async def store_once_per_type(shop: Shop, webhook: SignedWebhook) -> None:
    """Store the webhook under the id of its payment and the type of the event."""
    payment = payment_in(webhook)
    key = webhook.id
    if payment is not None:
        key = f"{payment.id} {decode(webhook.body, EventHead).type}"
    async with shop.database.transaction() as transaction:
        await store.insert_event(transaction, key, webhook.body.decode(), shop.clock.now())
    shop.wake.inbox.set()


MUTANT = Mutant(
    "one_event_per_type",
    "M05",
    "takes one event of each type per payment: the second refund is swallowed",
    Parts(receive_webhook=store_once_per_type),
)
