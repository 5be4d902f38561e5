"""A basket comes in; a pending order, and the request for its payment, are stored together."""

from __future__ import annotations

from collections.abc import Sequence

from shop import store
from shop.domain import catalogue
from shop.domain.catalogue import Item
from shop.domain.order import Order, OrderStatus
from shop.ports import Shop


async def place_order(
    shop: Shop, items: Sequence[Item], email: str, currency: str | None = None
) -> Order:
    """Store the order before anything is asked of the provider, with the key it will be asked with.

    A webhook can then never arrive before its order, and a retry can never charge twice.
    Raises UnknownProduct or MixedCurrencies.
    """
    amount_minor, currency = catalogue.price(items, currency)
    order = Order(
        id=shop.new_id("ord"),
        status=OrderStatus.PENDING,
        amount_minor=amount_minor,
        currency=currency,
        email=email,
        items=tuple(items),
        created_at=shop.clock.now(),
    )
    async with shop.database.transaction() as transaction:
        await store.insert_order(transaction, order, shop.new_id("key"))
    shop.wake.requests.set()
    shop.wake.checks.set()
    return order
