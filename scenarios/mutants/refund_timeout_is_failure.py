"""Takes no answer to a refund's request for a no.

People write: ``except TimeoutError: refund.status = "failed"``, and leave it to the staff.
Breaks because no answer means unknown. If the request got lost, nobody asks again; if the answer
did, the staff are told of a failure and give the money back once more.
Shows as a refund that the shop took on and the provider never heard of.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop.domain.payment import NoAnswer, PaymentRefused, Refund
from shop.domain.refund import WantedRefund
from shop.parts import Parts
from shop.ports import Shop
from shop.refund_order import request_refund


async def refund_in_one_try(
    shop: Shop, payment_id: str, wanted: WantedRefund
) -> Refund | PaymentRefused | NoAnswer:
    """Ask once, and treat unknown as refused."""
    answer = await request_refund(shop, payment_id, wanted)
    return PaymentRefused(answer.reason) if isinstance(answer, NoAnswer) else answer


MUTANT = Mutant(
    "refund_timeout_is_failure",
    "M32",
    "gives a refund up when the provider does not answer in time",
    Parts(request_refund=refund_in_one_try),
)
