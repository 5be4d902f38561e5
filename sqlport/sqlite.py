"""SQLite behind the port: statements run in place; a thread for each would cost ten times more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from sqlport.dialect import statements_in
from sqlport.errors import ConstraintBroken
from sqlport.port import Row, Value


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

    def _run(self, statement: str, values: tuple[Value, ...]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.IntegrityError as problem:
            raise ConstraintBroken(f"the database refused a row: {problem}") from problem


class SqliteDatabase:
    """One connection, one transaction at a time.

    The connection must be in autocommit mode (``isolation_level=None``), so that this class alone
    says where a transaction begins and ends.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._transaction = SqliteTransaction(connection)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteTransaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        async with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._transaction
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    async def apply_schema(self, script: str) -> None:
        """Run a script of ``CREATE … IF NOT EXISTS`` statements separated by semicolons."""
        async with self.transaction() as transaction:
            for statement in statements_in(script):
                await transaction.execute(statement)

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()
