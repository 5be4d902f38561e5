"""Clears away orders that nobody has paid for within a minute or so, without asking anybody.

People write: ``DELETE FROM orders WHERE status = 'pending' AND created_at < …`` in a nightly job,
for the customers who never came back from the payment page.
Breaks because some payments take their time: the money comes, and the order is gone.
Shows as a captured payment whose order nobody fulfils, when the payer or the bank is slow.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.tracking.event_log import read_event_log


async def clear_away(shop: Shop, order: Order) -> None:
    """Delete the order and the request for its payment if it is still pending."""
    async with shop.database.transaction() as transaction:
        await transaction.execute(
            "DELETE FROM orders WHERE id = ? AND status = 'pending'", order.id
        )
        await transaction.execute(
            "DELETE FROM payment_requests WHERE order_id = ? "
            "AND order_id NOT IN (SELECT id FROM orders)",
            order.id,
        )


MUTANT = Mutant(
    "abandoned_baskets_deleted",
    "M36",
    "deletes orders that stay pending without asking the provider about them",
    Parts(reconcile=Reconciliation(clear_away, read_event_log)),
)
