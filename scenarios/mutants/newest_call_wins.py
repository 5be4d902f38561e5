"""Orders events by the time at which they were signed.

People write: ``if timestamp_header < order.updated_at: return``, since the header is right there
and the body's own count is not.
Breaks because a retry is signed afresh: the oldest event becomes the newest call.
Shows over the public order API: a paid order goes back to pending when an earlier webhook, whose
first attempt was lost, comes again.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.by_hand import payment_in
from scenarios.mutants.mutant import Mutant
from shop import store
from shop.domain.order import Order, decide, status_after
from shop.domain.payment import Payment, PaymentReported
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop


async def believe_newest_signature(shop: Shop, webhook: SignedWebhook) -> None:
    """Let the call that was signed last say how the order stands."""
    payment = payment_in(webhook)
    if payment is None:
        return
    name, now = f"signed for {payment.reference}", shop.clock.now()
    async with shop.database.transaction() as transaction:
        last = await transaction.fetch_one("SELECT * FROM event_cursors WHERE name = ?", name)
        if last is not None and int(webhook.timestamp) < int(last["event_id"]):
            return
        await transaction.execute(
            "INSERT INTO event_cursors (name, event_id) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
            name,
            webhook.timestamp,
        )
        order = await store.lock_order(transaction, payment.reference)
        if order is not None:
            decision = decide(order, PaymentReported(payment))
            believed = replace(decision, order=_as_told(decision.order, payment))
            await store.save_decision(transaction, order, believed, store.Step(now, "webhook", ""))
    shop.wake.fulfilments.set()


def _as_told(order: Order, payment: Payment) -> Order:
    return replace(order, status=status_after(payment))


MUTANT = Mutant(
    "newest_call_wins",
    "M13",
    "orders events by when they were signed: a late retry takes a paid order back",
    Parts(receive_webhook=believe_newest_signature),
)
