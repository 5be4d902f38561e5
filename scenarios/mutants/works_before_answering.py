"""Does all of the work before it answers, however long that takes.

People write: ``store(event); process(event); ship(order); return 200``, correct in every step, so
that the provider's "delivered" means that the goods are on their way.
Breaks because a neighbour is slow: the provider stops waiting, takes the webhook for lost, sends it
again, and after enough of that disables the endpoint.
Shows as calls that are not answered in time although nothing is wrong between provider and shop.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import payment_in
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.fulfilment import fulfilment_of
from shop.domain.order import OrderStatus, status_after
from shop.domain.webhook_signature import SignedWebhook
from shop.fulfil_order import fulfil_order
from shop.parts import Parts
from shop.ports import Shop
from shop.receive_webhook import receive_webhook


async def work_then_answer(shop: Shop, webhook: SignedWebhook) -> None:
    """Store the event, and ask the warehouse with the fulfilment's own id before answering."""
    await receive_webhook(shop, webhook)
    payment = payment_in(webhook)
    if payment is None or status_after(payment) is not OrderStatus.PAID:
        return
    async with shop.database.transaction() as transaction:
        order = await store.load_order(transaction, payment.reference)
    if order is not None:
        await fulfil_order(shop, fulfilment_of(order.id, order.items))


MUTANT = Mutant(
    "works_before_answering",
    "M10",
    "asks the warehouse before it answers the webhook: a slow one makes the provider give up",
    Parts(receive_webhook=work_then_answer),
)
