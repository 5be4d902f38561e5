"""Registers its endpoint once, and never looks at it again.

People write: a registration at startup or by hand at the provider's console, and nothing beside it.
Breaks because a provider disables an endpoint that fails for long, and somebody types a wrong URL.
Shows as webhooks that never come again, found out about by customers whose orders take a day.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import endpoint_store
from shop.endpoint_store import Endpoint
from shop.parts import Parts
from shop.ports import Shop
from shop.register_endpoint import look_after_endpoint


async def register_only(shop: Shop, endpoint: Endpoint) -> None:
    """Have it made, and its secret rotated; what became of it later is not asked."""
    if endpoint.id is None or endpoint.rotation_key is not None:
        await look_after_endpoint(shop, endpoint)
        return
    async with shop.database.transaction() as transaction:
        now = shop.clock.now()
        await endpoint_store.note_settled(transaction, endpoint.url, now, None)


MUTANT = Mutant(
    "registers_and_forgets",
    "M34",
    "never looks whether its endpoint was disabled, misdirected or removed",
    Parts(look_after_endpoint=register_only),
)
