"""Makes the idempotency key of a refund from the order.

People write: ``key = f"refund-{order.id}"``, since an order is refunded once.
Breaks because parts can be given back one after the other: the second request looks like a repeat
of the first, and is answered with the refund that there is.
Shows as staff who were told that a refund is on its way, and a customer who never gets it.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.payment import NoAnswer, PaymentRefused, Refund
from shop.domain.refund import WantedRefund
from shop.parts import Parts
from shop.ports import Shop


async def refund_by_order(
    shop: Shop, payment_id: str, wanted: WantedRefund
) -> Refund | PaymentRefused | NoAnswer:
    """Ask the provider with the one key that the order has."""
    keyed = replace(wanted, idempotency_key=f"refund-{wanted.order_id}")
    return await shop.provider.request_refund(payment_id, keyed)


MUTANT = Mutant(
    "refund_key_from_order",
    "M31",
    "makes a refund's idempotency key from the order: the second refund of a part is never made",
    Parts(request_refund=refund_by_order),
)
