"""Repeats a request with its key, however old both are.

People write: a retry loop around the request, and trust in the key that it carries.
Breaks because providers forget keys, many after a day; a repeat after that is a new request.
Shows as a second capture for an order whose shop, or provider, was away over night.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Shop


async def never_look(_shop: Shop, _order: Order, _attempt: int) -> None:
    """Have the payment asked for again, whatever became of the first request."""


MUTANT = Mutant(
    "repeats_old_requests",
    "M33",
    "repeats a payment request with a key that the provider may have forgotten",
    Parts(find_old_payment=never_look),
)
