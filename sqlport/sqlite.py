"""SQLite behind the port: statements run in place; a thread for each would cost ten times more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import cast

from sqlport.dialect import statements_in
from sqlport.migration import run_steps
from sqlport.port import Others, Row, Value
from sqlport.sqlite_errors import raise_clear
from sqlport.trouble import Trouble


class SqliteTransaction:
    """Statements on one connection, between its BEGIN and its COMMIT."""

    is_shared = False

    def __init__(self, connection: sqlite3.Connection, trouble: Trouble) -> None:
        self._connection = connection
        self._trouble = trouble

    async def execute(self, statement: str, *values: Value) -> int:
        """Run a statement; return how many rows it changed."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.Error as problem:
            raise_clear(problem, self._trouble)

    async def fetch_one(self, statement: str, *values: Value) -> Row | None:
        """Run a query; return its first row, or None."""
        try:
            return cast("Row | None", self._connection.execute(statement, values).fetchone())
        except sqlite3.Error as problem:
            raise_clear(problem, self._trouble)

    async def fetch_all(self, statement: str, *values: Value) -> list[Row]:
        """Run a query; return every row, in the query's order."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as problem:
            raise_clear(problem, self._trouble)

    def control(self, statement: str) -> None:
        """Run what begins or ends a transaction."""
        try:
            self._connection.execute(statement)
        except sqlite3.Error as problem:
            raise_clear(problem, self._trouble)


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
            self._transaction.control("BEGIN IMMEDIATE")
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
                self._transaction.control("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        else:
            if kind is not None:
                self._roll_back()
        finally:
            self._lock.release()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


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
        self._trouble = Trouble()
        self._transaction = SqliteTransaction(connection, self._trouble)
        self._turn = asyncio.Lock()

    @property
    def trouble(self) -> str | None:
        """Why it could not store something in the last seconds."""
        return self._trouble.latest

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
