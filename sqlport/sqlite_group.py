"""SQLite under load: one commit for all transactions that end in the same turn of the loop."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from sqlport.errors import DatabaseError, DatabaseUnwritable
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

    def transaction(self) -> AbstractAsyncContextManager[SqliteTransaction]:
        """Begin; wait for the commit on leaving normally, roll back on any exception."""
        return _Member(self)

    async def join(self) -> SqliteTransaction:
        """Begin a transaction in the group that is open, or in a new one."""
        await self._turn.acquire()
        try:
            if self._group is None:
                self._begin_group()
            self._transaction.control("SAVEPOINT one")
        except BaseException:
            self._turn.release()
            raise
        return self._transaction

    def leave(self, problem: BaseException | None) -> asyncio.Future[None] | None:
        """End a transaction; return what tells of its commit, None if there is nothing to commit.

        Raises what the engine refuses, once the transaction is taken back.
        """
        group = self._group
        assert group is not None, "it was there when the transaction began, and the turn is held"
        try:
            if problem is None:
                try:
                    self._transaction.control("RELEASE one")
                except BaseException as refusal:
                    self._take_back(group, refusal)
                    raise
                stored = asyncio.get_running_loop().create_future()
                group.append(stored)
                return stored
            self._take_back(group, problem)
            return None
        finally:
            self._turn.release()

    async def close(self) -> None:
        """Close the connection once what is under way is stored. Idempotent."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        await super().close()

    def _begin_group(self) -> None:
        self._transaction.control("BEGIN IMMEDIATE")
        self._group = []
        # It gets its turn behind everybody who is ready now, and so those join.
        self._committing = asyncio.create_task(self._commit(self._group))

    async def _commit(self, group: list[asyncio.Future[None]]) -> None:
        async with self._turn:
            if self._group is not group:
                return
            self._group = None
            try:
                self._transaction.control("COMMIT")
            except (sqlite3.Error, DatabaseError) as problem:
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


class _Member(AbstractAsyncContextManager[SqliteTransaction]):
    """One transaction. Written out, since a generator would cost as much as a statement."""

    __slots__ = ("_database",)

    def __init__(self, database: GroupingSqliteDatabase) -> None:
        self._database = database

    async def __aenter__(self) -> SqliteTransaction:
        return await self._database.join()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stored = self._database.leave(error)
        if stored is not None:
            await stored


def _fail(group: list[asyncio.Future[None]], problem: BaseException) -> None:
    """Tell everybody who waited that nothing of theirs is stored."""
    for stored in group:
        if stored.done():
            continue
        if isinstance(problem, DatabaseUnwritable):
            stored.set_exception(DatabaseUnwritable(str(problem)))
        else:
            stored.set_exception(sqlite3.OperationalError(f"the commit failed: {problem}"))
