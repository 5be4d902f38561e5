"""From calls that were made to records of them: all that end in one turn of the loop, together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from psp_sim.domain.delivery import (
    DELIVERED,
    Delivered,
    DeliveryState,
    Exhausted,
    Gone,
    Waiting,
    WebhookAnswer,
    after_attempt,
    is_success,
)
from psp_sim.endpoint_health import note_outcome
from psp_sim.outbox import Attempt, Job, record_attempts
from psp_sim.provider import Provider
from sqlport import Transaction


class _Entry(NamedTuple):
    """One attempt with all its calls, and what tells of its being stored."""

    job: Job
    attempts: Sequence[Attempt]
    stored: asyncio.Future[None]


class Recorder:
    """Stores what came of attempts.

    Under load dozens end in the same turn of the loop: one transaction for all of them costs half
    of one for each. Where there are other processes each has its own, all at the same time: who
    holds many rows would have to hold them in everybody's order.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._entries: list[_Entry] = []
        self._is_alone = provider.database.others is None
        # The tasks that store something now.
        self._storing: set[asyncio.Task[None]] = set()

    async def record(self, job: Job, attempts: Sequence[Attempt]) -> None:
        """Store an attempt's calls and what follows; return once that is committed."""
        if not self._is_alone:
            await self._store([(job, attempts)])
            return
        stored = asyncio.get_running_loop().create_future()
        self._entries.append(_Entry(job, attempts, stored))
        if len(self._entries) == 1:
            task = asyncio.create_task(self._store_all())
            self._storing.add(task)
            task.add_done_callback(self._storing.discard)
        await stored

    async def finish(self) -> None:
        """Wait until what is being stored is stored."""
        if self._storing:
            await asyncio.wait(self._storing)

    async def _store_all(self) -> None:
        entries, self._entries = self._entries, []
        await self._store_or_fail(entries)

    async def _store_or_fail(self, entries: Sequence[_Entry]) -> None:
        try:
            await self._store([(job, attempts) for job, attempts, _ in entries])
        except Exception as problem:
            if len(entries) == 1:
                _tell(entries[0].stored, problem)
                return
            # What is wrong with one of them is no reason to lose the others.
            for entry in entries:
                await self._store_or_fail([entry])
        else:
            for entry in entries:
                _tell(entry.stored, None)

    async def _store(self, made: Sequence[tuple[Job, Sequence[Attempt]]]) -> None:
        something_is_due = False
        async with self._provider.database.transaction() as transaction:
            for job, attempts in made:
                something_is_due |= await _record(self._provider, transaction, job, attempts)
        self._provider.delivery_changed.ring()
        if something_is_due:
            self._provider.delivery_due.ring()


def _tell(stored: asyncio.Future[None], problem: Exception | None) -> None:
    if stored.done():
        return  # whoever waited was cancelled
    if problem is None:
        stored.set_result(None)
    else:
        stored.set_exception(problem)


async def _record(
    provider: Provider, transaction: Transaction, job: Job, attempts: Sequence[Attempt]
) -> bool:
    """Store what one attempt came to; tell whether deliveries have to be looked at again."""
    now = provider.clock.now()
    outcome = _decide(provider, job, attempts, now)
    due_at = None
    match outcome:
        case Delivered():
            state = DeliveryState.DELIVERED
        case Waiting(until):
            state, due_at = DeliveryState.WAITING, now + provider.scaled(until - now)
        case Exhausted():
            state = DeliveryState.EXHAUSTED
        case Gone():
            state = DeliveryState.CANCELLED
    await record_attempts(transaction, job, attempts, state, due_at)
    was_disabled = await note_outcome(provider, transaction, job.endpoint, outcome)
    return due_at is not None or was_disabled


def _decide(
    provider: Provider, job: Job, attempts: Sequence[Attempt], now: float
) -> Delivered | Waiting | Exhausted | Gone:
    """Return what follows an attempt; one accepted copy is enough."""
    for attempt in attempts:
        if is_success(attempt.status) and not attempt.is_extra:
            return DELIVERED
    first = next(attempt for attempt in attempts if not attempt.is_extra)
    return after_attempt(
        job.endpoint.retry_schedule or provider.settings.retry_schedule,
        job.step,
        WebhookAnswer(first.status, retry_after=first.retry_after),
        now,
        provider.chance.fraction("jitter", job.order_number, job.event_type, job.attempt),
        provider.settings.time_scale,
    )
