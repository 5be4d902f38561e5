"""Never asks: what no webhook told does not exist.

People write: the webhook handler, and nothing beside it.
Breaks because a webhook can be lost for good: attempts run out, endpoints get disabled.
Shows as an order that is paid for and stays pending for ever.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.order import Order
from shop.parts import Parts
from shop.ports import Reconciliation, Shop


async def never_ask(_shop: Shop, _order: Order) -> None:
    """Leave the order as it is."""


async def never_read(_shop: Shop) -> int:
    """Leave the event log unread; nothing new was found."""
    return 0


MUTANT = Mutant(
    "no_reconciliation",
    "M34",
    "never asks the provider about an order left pending",
    Parts(reconcile=Reconciliation(never_ask, never_read)),
)
