"""Marks the event done, then has a look at the payment and does what is to be done.

People write: claim the event first, so that nobody else handles it, then re-read the payment from
the provider, as one should, then act.
Breaks because a failure or a crash after the claim leaves an event that is done without effect.
Shows as an order that is paid for and stays pending, when the provider does not answer the
question or the shop dies after the claim; with reconciliation only as a long wait.
"""

from __future__ import annotations

from scenarios.mutants.mutant import Mutant
from shop import store
from shop.apply_outcome import apply_outcome
from shop.domain.inbox import InboxRow
from shop.domain.payment import PaymentReported
from shop.parts import Parts
from shop.ports import Shop
from shop.wire import read_event


async def claim_then_act(shop: Shop, row: InboxRow) -> None:
    """Two transactions where there has to be one, and a question to the provider in between."""
    event = read_event(row.body)
    async with shop.database.transaction() as transaction:
        if not await store.close_event(transaction, row.event_id, store.DONE):
            return
    if event.payment is not None:
        payment = await shop.provider.fetch_payment(event.payment.id)
        await apply_outcome(shop, payment.reference, PaymentReported(payment))


MUTANT = Mutant(
    "marked_before_effect",
    "M07",
    "marks an event done before its effect: what fails after that is never done",
    Parts(process_event=claim_then_act),
)
