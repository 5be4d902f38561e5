"""From calls that were made to records of them: all that end in one turn of the loop, together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from psp_sim.database_away import DATABASE_AWAY, tell_if_away
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
from psp_sim.outbox import Attempt, Job, is_recorded, record_attempts
from psp_sim.provider import Provider
from psp_sim.put_off_records import Entry, PutOffRecords
from sqlport import Transaction


class Recorder:
    """Stores what came of attempts.

    Under load dozens end in the same turn of the loop: one transaction for all of them costs half
    of one for each. Where there are other processes each has its own, all at the same time: who
    holds many rows would have to hold them in everybody's order.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._entries: list[Entry] = []
        self._put_off = PutOffRecords(self._store_unless_stored)
        self._is_alone = provider.database.others is None
        # The tasks that store something now.
        self._storing: set[asyncio.Task[None]] = set()

    async def record(self, job: Job, attempts: Sequence[Attempt]) -> None:
        """Store an attempt's calls and what follows; return once that is committed.

        If the database is away, that is when it is back.
        """
        try:
            await self._record(job, attempts)
        except DATABASE_AWAY as away:
            tell_if_away(f"delivery {job.delivery_id}", away)
            await self._put_off.add(job, attempts)

    async def until_caught_up(self) -> None:
        """Wait until nothing is left that the database was away for."""
        await self._put_off.until_stored()

    async def finish(self) -> None:
        """Wait until what is being stored is stored, but not for the database to come back."""
        if self._storing:
            await asyncio.wait(self._storing)
        await self._put_off.give_up()

    async def _record(self, job: Job, attempts: Sequence[Attempt]) -> None:
        if not self._is_alone:
            await self._store([(job, attempts)])
            return
        stored = asyncio.get_running_loop().create_future()
        self._entries.append(Entry(job, attempts, stored))
        if len(self._entries) == 1:
            task = asyncio.create_task(self._store_all())
            self._storing.add(task)
            task.add_done_callback(self._storing.discard)
        await stored

    async def _store_all(self) -> None:
        entries, self._entries = self._entries, []
        await self._store_or_fail(entries)

    async def _store_or_fail(self, entries: Sequence[Entry]) -> None:
        try:
            await self._store([(job, attempts) for job, attempts, _ in entries])
        except Exception as problem:
            if len(entries) == 1:
                entries[0].tell(problem)
                return
            # What is wrong with one of them is no reason to lose the others.
            for entry in entries:
                await self._store_or_fail([entry])
        else:
            for entry in entries:
                entry.tell(None)

    async def _store_unless_stored(self, entry: Entry) -> None:
        """Whether a database that went away has stored the record first is open."""
        async with self._provider.database.transaction() as transaction:
            is_stored = await is_recorded(transaction, entry.job, entry.attempts[0])
        await self._store([] if is_stored else [(entry.job, entry.attempts)])

    async def _store(self, made: Sequence[tuple[Job, Sequence[Attempt]]]) -> None:
        something_is_due = False
        async with self._provider.database.transaction() as transaction:
            for job, attempts in made:
                something_is_due |= await _record(self._provider, transaction, job, attempts)
        self._provider.delivery_changed.ring()
        if something_is_due:
            self._provider.delivery_due.ring()


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
