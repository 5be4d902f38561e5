"""Makes a new idempotency key for each attempt.

People write: ``headers={"Idempotency-Key": uuid4()}`` inside the function that is retried.
Breaks because a request whose answer was lost did make a payment, and the next one makes another.
Shows as two captured payments for one order at the provider.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Order
from shop.domain.payment import PaymentOutcome
from shop.parts import Parts
from shop.ports import Shop


async def request_with_new_key(shop: Shop, order: Order, _stored_key: str) -> PaymentOutcome:
    """Ask the provider with a key that it has never seen."""
    return await shop.provider.request_payment(order, shop.new_id("key"))


MUTANT = Mutant(
    "new_key_per_retry",
    "M30",
    "requests a payment with a new idempotency key each time: a lost answer charges twice",
    Parts(request_payment=request_with_new_key),
)
