"""Takes the warehouse's silence for a yes.

People write: ``try: warehouse.ship(order) except Exception: log.exception(…)`` and mark the order
as shipped on the next line.
Breaks because a call that failed has not happened, and nobody makes it again.
Shows as an order that counts as fulfilled and never reached the warehouse.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.fulfilment import Fulfilment
from shop.fulfil_order import fulfil_order
from shop.parts import Parts
from shop.ports import Shop


async def ask_and_forget(shop: Shop, fulfilment: Fulfilment) -> bool:
    """Ask once, whatever comes of it."""
    await fulfil_order(shop, fulfilment)
    return True


MUTANT = Mutant(
    "warehouse_error_swallowed",
    "M08",
    "counts an order as fulfilled although the warehouse did not answer",
    Parts(fulfil_order=ask_and_forget),
)
