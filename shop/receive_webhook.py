"""A genuine webhook comes in; it is in the inbox, once, before the provider is answered."""

from __future__ import annotations

from shop import queues, store
from shop.domain.errors import MalformedWebhook
from shop.domain.webhook_signature import SignedWebhook
from shop.ports import Shop
from shop.wire import is_json_object


async def receive_webhook(shop: Shop, webhook: SignedWebhook) -> None:
    """Store the webhook and return at once: what it means is worked out after the answer.

    A second delivery of the same event id finds its row already there; should the row lie in the
    future, since the clock was ahead when it was stored, it is due now. Raises MalformedWebhook if
    the signed body is not a JSON object; everything else is accepted, known type or not.
    """
    if not is_json_object(webhook.body):
        raise MalformedWebhook("the body is not a JSON object")
    now = shop.clock.now()
    async with shop.database.transaction() as transaction:
        is_new = await store.insert_event(transaction, webhook.id, webhook.body.decode(), now)
        if not is_new:
            await queues.bring_event_forward(transaction, webhook.id, now)
    shop.measured.useless["webhook"] += not is_new
    shop.wake.inbox.set()
