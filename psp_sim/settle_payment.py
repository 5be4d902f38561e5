"""From payments on which something is due to what became of them, and the events that say so."""

from __future__ import annotations

from psp_sim.bell import wait_for_ring
from psp_sim.change_payment import tell_of_change
from psp_sim.domain.event import Event, event_of, render_payment
from psp_sim.domain.lifecycle import next_happened
from psp_sim.json_text import json_text
from psp_sim.outbox import publish
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
    events: list[Event] = []
    async with provider.database.transaction() as transaction:
        due = await payments_due(transaction, now, BATCH)
        for before in due:
            payment, event_type = next_happened(before, now)
            await update_payment(transaction, payment)
            if event_type is not None:
                shown = json_text(render_payment(payment))
                events.append(event_of(provider.new_id("evt"), event_type, payment, now, shown))
        await publish(transaction, *events)
    if due:
        tell_of_change(provider)
    return len(due)
