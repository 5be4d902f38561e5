"""Looks after an endpoint that is there, and has no idea what to do about one that is not.

People write: ``if answer.status == 200 and endpoint.status != "enabled": enable()``, and what is
not 200 is left for the next look.
Breaks because somebody can remove an endpoint at the provider's console: each look says so, and
nobody registers it anew.
Shows as webhooks that never come again.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import endpoint_store
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.endpoint_store import Endpoint
from shop.parts import Parts
from shop.ports import Shop
from shop.register_endpoint import look_after_endpoint


async def mend_what_is_there(shop: Shop, endpoint: Endpoint) -> None:
    """Have it made at first, and mended as long as the provider has it."""
    if endpoint.id is None or not await _is_gone(shop, endpoint.id):
        await look_after_endpoint(shop, endpoint)
        return
    async with shop.database.transaction() as transaction:
        now = shop.clock.now()
        again_at = now + shop.settings.endpoint_check_interval_s
        await endpoint_store.note_settled(transaction, endpoint.url, now, again_at)


async def _is_gone(shop: Shop, endpoint_id: str) -> bool:
    try:
        return await shop.provider.read_endpoint(endpoint_id) is None
    except (ProviderUnavailable, UnreadableAnswer):
        return False


MUTANT = Mutant(
    "removed_endpoint_ignored",
    "M34",
    "does nothing about an endpoint that the provider no longer has",
    Parts(look_after_endpoint=mend_what_is_there),
)
