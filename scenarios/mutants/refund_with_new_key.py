"""Asks for a refund with a new idempotency key each time, or with none.

People write: the key for payments, where everybody warns of it, and forget it for refunds.
Breaks because a request whose answer was lost did make a refund, and the next one makes another.
Shows as more money given back at the provider than the staff asked for.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.payment import NoAnswer, PaymentRefused, Refund
from shop.domain.refund import WantedRefund
from shop.parts import Parts
from shop.ports import Shop


async def refund_afresh(
    shop: Shop, payment_id: str, wanted: WantedRefund
) -> Refund | PaymentRefused | NoAnswer:
    """Ask the provider with a key that it has never seen."""
    again = replace(wanted, idempotency_key=shop.new_id("key"))
    return await shop.provider.request_refund(payment_id, again)


MUTANT = Mutant(
    "refund_with_new_key",
    "M38",
    "requests a refund with a new idempotency key each time: a lost answer refunds twice",
    Parts(request_refund=refund_afresh),
)
