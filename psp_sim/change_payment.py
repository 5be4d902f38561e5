"""From a wish about a payment to the changed payment and its event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable

from psp_sim.domain.errors import NotFound
from psp_sim.domain.event import event_of, render_payment
from psp_sim.domain.lifecycle import Change
from psp_sim.domain.payment import Payment
from psp_sim.json_text import json_text
from psp_sim.outbox import publish
from psp_sim.provider import Provider
from psp_sim.store import payment_by_id, payment_to_change, update_payment
from sqlport import Transaction


async def find_payment(transaction: Transaction, payment_id: str) -> Payment:
    """Return a payment. Raises NotFound."""
    payment = await payment_by_id(transaction, payment_id)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


async def hold_payment(transaction: Transaction, payment_id: str) -> Payment:
    """Return a payment that nobody else changes until the transaction is over. Raises NotFound."""
    payment = await payment_to_change(transaction, payment_id)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


async def change_payment(
    provider: Provider,
    transaction: Transaction,
    payment_id: str,
    change: Callable[[Payment], Change],
) -> Payment:
    """Make a change that the domain decides on; return the payment after it.

    Raises NotFound, and what the change raises.
    """
    payment, event_type = change(await hold_payment(transaction, payment_id))
    await update_payment(transaction, payment)
    await store_event(provider, transaction, payment, event_type, provider.clock.now())
    return payment


async def store_event(
    provider: Provider,
    transaction: Transaction,
    payment: Payment,
    event_type: str | None,
    at: float,
) -> str:
    """Store the event of a change, and its deliveries; without a type there is nothing to tell.

    Return the payment as it is shown, in JSON.
    """
    shown = json_text(render_payment(payment))
    if event_type is not None:
        event = event_of(provider.new_id("evt"), event_type, payment, at, shown)
        await publish(transaction, event)
    return shown


def tell_of_change(provider: Provider) -> None:
    """Wake whoever waits for news of payments, once the change is stored."""
    provider.payment_changed.ring()
    provider.event_stored.ring()
    provider.delivery_due.ring()
    provider.delivery_changed.ring()
