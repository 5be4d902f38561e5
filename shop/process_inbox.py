"""Stored webhooks come in; each becomes its effects in one transaction, or waits."""

from __future__ import annotations

import logging

from shop import endpoint_store, event_store, queues, store
from shop.apply_outcome import apply_outcome_within, wake_up_for
from shop.domain import inbox
from shop.domain.errors import ChangedMeanwhile
from shop.domain.inbox import Event, InboxRow, SetAside
from shop.domain.order import Decision
from shop.domain.payment import ENDPOINT_DISABLED, PaymentReported
from shop.ports import ProcessEvent, Shop
from shop.queues import Due
from shop.wire import read_event
from sqlport import DatabaseUnreachable, Transaction

_LOG = logging.getLogger("shop")
_BATCH = 50


async def process_event(shop: Shop, row: InboxRow) -> None:
    """Mark the event done and write its effects together: neither can happen without the other.

    Raises UnreadableAnswer or ChangedMeanwhile, and then nothing has happened.
    """
    event = read_event(row.body)
    async with shop.database.transaction() as transaction:
        decision = await _apply(shop, transaction, row, event)
        problem = _problem_with(event, decision)
        known_at = None if decision is None else await _known_since(transaction, event)
        status = store.DONE if problem is None else store.DEAD
        if not await store.close_event(transaction, row.event_id, status, problem):
            raise ChangedMeanwhile(f"event {row.event_id} was processed by somebody else")
    if problem is not None:
        _LOG.warning("event %s set aside: %s", row.event_id, problem)
    if known_at is not None and event.happened_at is not None:
        shop.measured.learnt(event.type, known_at - event.happened_at)
    wake_up_for(shop, decision)


async def _apply(
    shop: Shop, transaction: Transaction, row: InboxRow, event: Event
) -> Decision | None:
    """Apply a reported payment; None if there is none, or no order for it."""
    if event.type == ENDPOINT_DISABLED:
        await endpoint_store.look_at_once(transaction, shop.clock.now())
        shop.wake.endpoint.set()
    if event.payment is None:
        return None
    reference, outcome = event.payment.reference, PaymentReported(event.payment)
    return await apply_outcome_within(shop, transaction, reference, outcome, row.source, event.type)


def _problem_with(event: Event, decision: Decision | None) -> str | None:
    """Return why an event has to be set aside, if it has to."""
    if event.payment is None:
        return None
    return f"no order {event.payment.reference!r}" if decision is None else decision.set_aside


async def _known_since(transaction: Transaction, event: Event) -> float | None:
    """When we came to know what the event tells, which may have been before the event came."""
    if event.payment is None or event.happened_at is None:
        return None
    payment = event.payment
    return await store.known_since(transaction, payment.reference, payment.sequence)


async def take_due_events(shop: Shop) -> Due[list[InboxRow]]:
    """The next events as one batch, so that they are processed one after the other."""
    async with shop.database.transaction() as transaction:
        due = await queues.take_events(
            transaction, shop.clock.now(), _BATCH, look_s=shop.settings.look_interval_s
        )
    return Due([due.items] if due.items else [], due.next_at)


async def process_batch(shop: Shop, rows: list[InboxRow], *, process: ProcessEvent) -> None:
    """Process each event. One that fails is put off and does not hold up those behind it.

    Raises DatabaseUnreachable, which is nothing that an event has done wrong: all of them wait.
    """
    for row in rows:
        try:
            await process(shop, row)
        except DatabaseUnreachable:
            raise
        except Exception as problem:
            await _put_off(shop, row, f"{type(problem).__name__}: {problem}"[:500])


async def _put_off(shop: Shop, row: InboxRow, reason: str) -> None:
    settings, failures, now = shop.settings, row.attempts + 1, shop.clock.now()
    step = inbox.after_failure(
        failures,
        now=now,
        attempts_max=settings.inbox_attempts_max,
        first_s=settings.retry_first_delay_s,
        cap_s=settings.retry_delay_cap_s,
    )
    async with shop.database.transaction() as transaction:
        if isinstance(step, SetAside):
            is_ours = await event_store.set_aside(transaction, row.event_id, failures, reason)
        else:
            is_ours = await store.postpone_event(
                transaction, row.event_id, failures, step.at, reason
            )
    if is_ours:
        _LOG.warning("event %s failed %d times: %s", row.event_id, failures, reason)
