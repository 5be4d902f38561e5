"""Ships in two places: where webhooks arrive, and where the provider is asked.

People write: the page that the customer returns to asks the provider and, if the payment has
succeeded, fulfils the order; the webhook's handler does the same.
Breaks because both can learn of it while the other is under way, and each ships on its own account.
Shows as two fulfilments at the warehouse when the answer to the question and the webhook cross.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import fresh_fulfilment
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.errors import ShopError
from shop.domain.order import Order, OrderStatus, status_after
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import read_event_log


async def ask_and_ship(shop: Shop, order: Order) -> None:
    """Look at the order, ask, and ship if that is news to what was seen before asking."""
    if order.payment_id is None or order.status is not OrderStatus.PENDING:
        await ask_provider(shop, order)
        return
    try:
        payment = await shop.provider.fetch_payment(order.payment_id)
    except ShopError:
        return
    if status_after(payment) is OrderStatus.PAID:
        async with shop.database.transaction() as transaction:
            fulfilment = fresh_fulfilment(shop, order)
            await store.insert_fulfilment(transaction, fulfilment, shop.clock.now())
        shop.wake.fulfilments.set()


MUTANT = Mutant(
    "asker_ships_too",
    "M29",
    "ships where it is told and where it asks: when both learn of it, twice",
    Parts(reconcile=Reconciliation(ask_and_ship, read_event_log)),
)
