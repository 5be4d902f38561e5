"""SQLite under load: one commit for all transactions that end in the same turn of the loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlport.sqlite import SqliteDatabase, SqliteTransaction


class GroupingSqliteDatabase(SqliteDatabase):
    """One transaction at a time, and one commit for all that end in the same turn of the loop.

    Under load that saves most of the writing: a commit costs more than the statements before it,
    and ten transactions touch the same pages. Each transaction stands alone (one that fails takes
    nothing of the others back), and none is over before the commit that stores it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        # Those whose work is done and waits for the commit; None between two groups.
        self._group: list[asyncio.Future[None]] | None = None
        self._committing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        """Begin; wait for the commit on leaving normally, roll back on any exception."""
        async with self._turn:
            group = self._begin_group() if self._group is None else self._group
            self._connection.execute("SAVEPOINT one")
            try:
                yield self._transaction
                self._connection.execute("RELEASE one")
            except BaseException as problem:
                self._take_back(group, problem)
                raise
            stored = asyncio.get_running_loop().create_future()
            group.append(stored)
        await stored

    async def close(self) -> None:
        """Close the connection once what is under way is stored. Idempotent."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        await super().close()

    def _begin_group(self) -> list[asyncio.Future[None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        self._group = []
        # It gets its turn behind everybody who is ready now, and so those join.
        self._committing = asyncio.create_task(self._commit(self._group))
        return self._group

    async def _commit(self, group: list[asyncio.Future[None]]) -> None:
        async with self._turn:
            if self._group is not group:
                return
            self._group = None
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as problem:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                _fail(group, problem)
            else:
                for stored in group:
                    if not stored.done():
                        stored.set_result(None)

    def _take_back(self, group: list[asyncio.Future[None]], problem: BaseException) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
        else:
            # Some errors, such as a full disk, take back everything since BEGIN.
            self._group = None
            _fail(group, problem)


def _fail(group: list[asyncio.Future[None]], problem: BaseException) -> None:
    """Tell everybody who waited that nothing of theirs is stored."""
    for stored in group:
        if not stored.done():
            stored.set_exception(sqlite3.OperationalError(f"the commit failed: {problem}"))
