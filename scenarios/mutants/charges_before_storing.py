"""Requests the payment first, and stores the order when the provider has said yes.

People write: ``payment = psp.charge(basket)`` in the handler of the order form and
``Order.create(payment_id=payment.id)`` below it, so that there are no orders without a payment.
Breaks because the process can die in between, and the webhook can come in between.
Shows as a customer who has paid for an order that the shop has never heard of.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.by_hand import new_order
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.catalogue import Item
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Shop


async def charge_then_store(
    shop: Shop, items: Sequence[Item], email: str, currency: str | None = None
) -> Order:
    """Ask for the money under the id that the order will have."""
    order = new_order(shop, items, email, currency)
    key = shop.new_id("key")
    await shop.provider.request_payment(order, key)
    async with shop.database.transaction() as transaction:
        await store.insert_order(transaction, order, key)
    shop.wake.requests.set()
    shop.wake.checks.set()
    return order


MUTANT = Mutant(
    "charges_before_storing",
    "M28",
    "requests the payment before it stores the order: a crash in between leaves money for nothing",
    Parts(place_order=charge_then_store),
)
