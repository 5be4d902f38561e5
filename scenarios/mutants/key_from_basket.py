"""Makes the idempotency key from what is bought, so that a double click does no harm.

People write: ``key = sha256(f"{day}:{amount}:{currency}")``: the same request, the same key.
Breaks because two customers who buy the same on one day make two payments, not one request twice.
The provider refuses the second: the key was used for something else.
Shows as an order that fails for no reason of the customer's on a busy day.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Order
from shop.domain.payment import PaymentOutcome
from shop.parts import Parts
from shop.ports import Shop

_DAY_S = 86_400.0


async def request_with_derived_key(shop: Shop, order: Order, _stored_key: str) -> PaymentOutcome:
    """Ask the provider with a key that says what is bought and when, and not by whom."""
    day = int(order.created_at // _DAY_S)
    key = f"day-{day}-{order.currency}-{order.amount_minor}"
    return await shop.provider.request_payment(order, key)


MUTANT = Mutant(
    "key_from_basket",
    "M31",
    "makes the idempotency key from the amount and the day: two customers share one",
    Parts(request_payment=request_with_derived_key),
)
