"""Claims an event for ever: who comes while it is claimed is sent away with 409.

People write: a row with ``status = 'processing'``, set before the work and ``'done'`` after it, and
409 for a repeat that finds it processing.
Breaks because the one who holds the claim can die: from then on every repeat is sent away, and
nobody does the work.
Shows as an order that is paid for and stays unfulfilled, and as a 4xx to a genuine webhook, when
the shop dies at its work.
"""

from __future__ import annotations

from scenarios.mutants.by_hand import payment_in, ship_then_note, update_order
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.errors import RequestRefused
from shop.domain.order import OrderStatus, status_after
from shop.domain.payment import Payment
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop


class SomebodyIsAtIt(RequestRefused):
    """The event is being worked on."""

    code, status = "somebody_is_at_it", 409


async def claim_and_work(shop: Shop, webhook: SignedWebhook) -> None:
    """Claim, work, and mark the claim as done."""
    async with shop.database.transaction() as transaction:
        row = await transaction.fetch_one("SELECT * FROM inbox WHERE event_id = ?", webhook.id)
        if row is None:
            await store.insert_event(transaction, webhook.id, "", shop.clock.now())
            await store.close_event(transaction, webhook.id, store.DEAD, "processing")
    if row is not None and row["reason"] == "processing":
        raise SomebodyIsAtIt(f"event {webhook.id} is being worked on")
    payment = payment_in(webhook)
    if row is None and payment is not None:
        await _work(shop, payment)
    async with shop.database.transaction() as transaction:
        await transaction.execute("UPDATE inbox SET reason = NULL WHERE event_id = ?", webhook.id)


async def _work(shop: Shop, payment: Payment) -> None:
    async with shop.database.transaction() as transaction:
        order, _ = await update_order(transaction, payment)
    if status_after(payment) is not OrderStatus.PAID:
        return
    await ship_then_note(shop, payment, order)


MUTANT = Mutant(
    "claim_without_end",
    "M51",
    "sends repeats away while an event is claimed, and a crash claims it for ever",
    Parts(receive_webhook=claim_and_work),
)
