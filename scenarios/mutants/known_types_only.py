"""Takes the types of events that it knows, and refuses every other.

People write: an enumeration of event types in the model of the body, so that validation fails with
400 for the rest.
Breaks because providers add types: what is refused is sent again for days, and an endpoint that
refuses often enough is disabled.
Shows as a 4xx to a genuine event of a type that did not exist when the shop was written.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import MalformedWebhook, UnreadableAnswer
from shop.domain.payment import ENDPOINT_DISABLED, PAYMENT_EVENT_TYPES
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop
from shop.receive_webhook import receive_webhook
from shop.wire import EventHead, decode


async def receive_known_types(shop: Shop, webhook: SignedWebhook) -> None:
    """Store what is on the list."""
    try:
        head = decode(webhook.body, EventHead)
    except UnreadableAnswer as problem:
        raise MalformedWebhook(problem.detail) from problem
    if head.type not in (*PAYMENT_EVENT_TYPES, ENDPOINT_DISABLED):
        raise MalformedWebhook(f"{head.type!r} is not a type of event")
    await receive_webhook(shop, webhook)


MUTANT = Mutant(
    "known_types_only",
    "M42",
    "refuses types of events that it does not know",
    Parts(receive_webhook=receive_known_types),
)
