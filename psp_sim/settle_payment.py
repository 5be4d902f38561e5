"""From payments on which something is due to what became of them, and the events that say so."""

from __future__ import annotations

from psp_sim.bell import wait_for_ring
from psp_sim.change_payment import store_event, tell_of_change
from psp_sim.domain.lifecycle import next_happened
from psp_sim.provider import Provider
from psp_sim.relay_rings import look_again_in
from psp_sim.store import next_payment_due_at, payments_due, update_payment

BATCH = 100


async def settle_payments(provider: Provider) -> None:
    """Let happen on each payment what is due, when it is due, for ever."""
    while True:
        ring = provider.payment_changed.next_ring()
        if await settle_due(provider):
            continue
        async with provider.database.transaction() as transaction:
            due_at = await next_payment_due_at(transaction)
        timeout_s = None if due_at is None else max(0.0, due_at - provider.clock.now())
        await wait_for_ring(ring, look_again_in(provider, timeout_s))


async def settle_due(provider: Provider) -> int:
    """Let one thing happen on each payment that is due; return how many payments there were."""
    now = provider.clock.now()
    interested: dict[str, list[str]] = {}
    async with provider.database.transaction() as transaction:
        due = await payments_due(transaction, now, BATCH)
        for before in due:
            payment, event_type = next_happened(before, now)
            await update_payment(transaction, payment)
            await store_event(provider, transaction, payment, event_type, now, interested)
    if due:
        tell_of_change(provider)
    return len(due)
