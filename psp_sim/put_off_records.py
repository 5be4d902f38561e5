"""Calls that were made, and could not be recorded since the database was away: stored after it.

To forget them would be to make them again, though their endpoints have had them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from psp_sim.database_away import AGAIN_AFTER_S, DATABASE_AWAY
from psp_sim.outbox import Attempt, Job


class Entry(NamedTuple):
    """One attempt with all its calls, and what tells of its being stored."""

    job: Job
    attempts: Sequence[Attempt]
    stored: asyncio.Future[None]

    def tell(self, problem: Exception | None) -> None:
        """Wake whoever waits, unless that was cancelled."""
        if self.stored.done():
            return
        if problem is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(problem)


class PutOffRecords:
    """Tries again until each is stored. How many there can be, the lanes say."""

    def __init__(self, store: Callable[[Entry], Awaitable[None]]) -> None:
        self._store = store
        self._entries: deque[Entry] = deque()
        self._storing: asyncio.Task[None] | None = None

    async def add(self, job: Job, attempts: Sequence[Attempt]) -> None:
        """Return once an attempt's calls are stored."""
        entry = Entry(job, attempts, asyncio.get_running_loop().create_future())
        self._entries.append(entry)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        await entry.stored

    async def until_stored(self) -> None:
        """Return once nothing is left to store."""
        if self._storing is not None:
            await asyncio.wait([self._storing])

    async def give_up(self) -> None:
        """Try no longer."""
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _store_all(self) -> None:
        while self._entries:
            await asyncio.sleep(AGAIN_AFTER_S)
            with contextlib.suppress(*DATABASE_AWAY):
                while self._entries:
                    await self._store_first()
        self._storing = None

    async def _store_first(self) -> None:
        entry, problem = self._entries[0], None
        try:
            await self._store(entry)
        except DATABASE_AWAY:
            raise
        except Exception as other:  # whoever waits has to know, and the others get their turn
            problem = other
        self._entries.popleft()
        entry.tell(problem)
