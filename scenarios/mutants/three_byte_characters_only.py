"""Keeps webhooks in a column that takes characters of up to three bytes.

People write: ``CHARACTER SET utf8`` in a database where that means three bytes, and find out with
the first emoji.
Breaks because text in a webhook comes from people and partners, and UTF-8 has four.
Shows as a 500 to a genuine call, each time that it comes again, until no attempt is left.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop
from shop.receive_webhook import receive_webhook

_LAST_OF_THREE_BYTES = "\uffff"


async def store_short_characters(shop: Shop, webhook: SignedWebhook) -> None:
    """Store a body that such a column would take. Raises ValueError for another one."""
    longest = max(webhook.body.decode(), default="")
    if longest > _LAST_OF_THREE_BYTES:
        raise ValueError(f"incorrect string value: {longest.encode()!r}")
    await receive_webhook(shop, webhook)


MUTANT = Mutant(
    "three_byte_characters_only",
    "M46",
    "cannot store a character that takes four bytes: the webhook fails each time that it comes",
    Parts(receive_webhook=store_short_characters),
)
