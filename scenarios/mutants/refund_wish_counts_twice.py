"""Takes each click of the staff for a wish of its own.

People write: an idempotency key for the request to the provider, and none for the request that
their own page makes.
Breaks because the answer to the staff can get lost too: whoever sees no answer clicks again.
Shows as more money given back at the provider than the staff asked for.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.refund import WantedRefund
from shop.parts import Parts
from shop.ports import Shop
from shop.refund_order import refund_order


async def refund_at_each_click(
    shop: Shop,
    order_id: str,
    amount_minor: int | None,
    reason: str | None,
    _request_key: str | None = None,
) -> WantedRefund:
    """Store a wish that nothing connects with the one before."""
    return await refund_order(shop, order_id, amount_minor, reason)


MUTANT = Mutant(
    "refund_wish_counts_twice",
    "M38",
    "ignores the key of its staff's request: who gets no answer and asks again refunds twice",
    Parts(refund_order=refund_at_each_click),
)
