"""SQLite behind the port: statements run in place; a thread for each would cost ten times more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import cast

from sqlport.dialect import statements_in
from sqlport.errors import ConstraintBroken
from sqlport.migration import run_steps
from sqlport.port import Others, Row, Value


class SqliteTransaction:
    """Statements on one connection, between its BEGIN and its COMMIT."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, statement: str, *values: Value) -> int:
        """Run a statement; return how many rows it changed."""
        return self._run(statement, values).rowcount

    async def fetch_one(self, statement: str, *values: Value) -> Row | None:
        """Run a query; return its first row, or None."""
        return cast("Row | None", self._run(statement, values).fetchone())

    async def fetch_all(self, statement: str, *values: Value) -> list[Row]:
        """Run a query; return every row, in the query's order."""
        return self._run(statement, values).fetchall()

    def _run(self, statement: str, values: Sequence[Value]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.IntegrityError as problem:
            raise ConstraintBroken(f"the database refused a row: {problem}") from problem


class _Turn(AbstractAsyncContextManager[SqliteTransaction]):
    """One transaction. Written out, since a generator would cost as much as the statements."""

    __slots__ = ("_connection", "_lock", "_transaction")

    def __init__(
        self, connection: sqlite3.Connection, lock: asyncio.Lock, transaction: SqliteTransaction
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._transaction = transaction

    async def __aenter__(self) -> SqliteTransaction:
        await self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        return self._transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        except BaseException:
            roll_back(self._connection)
            raise
        else:
            if kind is not None:
                roll_back(self._connection)
        finally:
            self._lock.release()


def roll_back(connection: sqlite3.Connection) -> None:
    """Take back an open transaction, if there is one left."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class SqliteDatabase:
    """One connection, one transaction at a time, a commit for each.

    There are no others: the file is open for this process alone.

    The connection must be in autocommit mode (``isolation_level=None``), so that this class alone
    says where a transaction begins and ends.
    """

    others: Others | None = None

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._transaction = SqliteTransaction(connection)
        self._turn = asyncio.Lock()

    def transaction(self) -> AbstractAsyncContextManager[SqliteTransaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        return _Turn(self._connection, self._turn, self._transaction)

    async def apply_schema(self, script: str) -> None:
        """Run a script of ``CREATE … IF NOT EXISTS`` statements separated by semicolons."""
        async with self.transaction() as transaction:
            for statement in statements_in(script):
                await transaction.execute(statement)

    async def migrate(self, steps: Sequence[str]) -> None:
        """Run the scripts that this database has not had yet, in order, each of them once."""
        async with self.transaction() as transaction:
            await run_steps(transaction, transaction.execute, steps)

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()


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
                roll_back(self._connection)
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
