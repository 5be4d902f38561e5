"""Something learnt about a payment comes in; order, ledger and outbox go out, in one transaction.

Webhooks, answers of the provider and reconciliation all end here, so they cannot disagree.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from shop import queues, store
from shop.domain.order import Decision
from shop.domain.payment import NoAnswer, PaymentOutcome, PaymentRefused
from shop.ports import Shop
from sqlport import Transaction

_LOG = logging.getLogger("shop")


async def apply_outcome(
    shop: Shop, order_id: str, outcome: PaymentOutcome, source: str = "provider"
) -> Decision | None:
    """Decide and write, in a transaction of its own. None: there is no such order.

    Args:
        source: where this was learnt, for the order's history
    Raises ChangedMeanwhile.
    """
    async with shop.database.transaction() as transaction:
        decision = await apply_outcome_within(shop, transaction, order_id, outcome, source)
    if decision is not None and decision.set_aside is not None:
        _LOG.warning("set aside: %s", decision.set_aside)
    wake_up_for(shop, decision)
    return decision


def wake_up_for(shop: Shop, decision: Decision | None) -> None:
    """Have the warehouse asked for what a stored decision sends off, if it does."""
    if decision is not None and decision.fulfilment is not None:
        shop.wake.fulfilments.set()


async def apply_outcome_within(
    shop: Shop,
    transaction: Transaction,
    order_id: str,
    outcome: PaymentOutcome,
    source: str = "provider",
    what: str | None = None,
) -> Decision | None:
    """Decide and write, in the caller's transaction; the caller wakes the fulfilment afterwards.

    The order is read, and locked, in the same transaction that writes it: what was read before an
    await on the network may be old news by now.
    """
    if "\0" in order_id:
        return None  # PostgreSQL takes no text with this character, not even to look for it
    order = await store.lock_order(transaction, order_id)
    if order is None:
        return None
    decision = shop.decide(order, outcome)
    step = store.Step(shop.clock.now(), source, what or _named(outcome))
    await store.save_decision(transaction, order, decision, step)
    if decision.withdraws:
        await queues.withdraw_shipments(transaction, order_id)
    return replace(decision, is_news=decision.order != order)


def _named(outcome: PaymentOutcome) -> str:
    """What an outcome without an event is called in an order's history."""
    if isinstance(outcome, PaymentRefused):
        return "payment refused"
    if isinstance(outcome, NoAnswer):
        return "no answer"
    return f"payment {outcome.payment.status}"
