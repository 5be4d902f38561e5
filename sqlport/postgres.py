"""PostgreSQL behind the port: statements over a pool of connections, several transactions at once.

Transactions are READ COMMITTED. There each statement sees what was committed before it began, a
conflict inside ``INSERT … ON CONFLICT`` waits for the other row and then is one, and nothing ever
fails to serialize; so a transaction that decides upon a row has to lock it when it reads it
(``FOR_UPDATE``, ``SKIP_LOCKED``). Two that wait for each other end with TransactionConflict in
one of them. This port does not run it again, since it cannot run the caller's code again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor, IsolationLevel, sql
from psycopg.adapt import Buffer, Loader
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int8Dumper

from sqlport.dialect import for_postgres, name_created_by, schema_for_postgres, statements_in
from sqlport.errors import BadDatabaseUrl, DatabaseError, DatabaseUnreachable, DatabaseUnwritable
from sqlport.migration import run_steps
from sqlport.port import Row, Value
from sqlport.postgres_errors import clear_error, reason_of
from sqlport.postgres_pool import Connection, Connections, cancellations, end_if_cancelled_since
from sqlport.postgres_url import PostgresUrl, read_postgres_url
from sqlport.trouble import Trouble

_CONNECT_TIMEOUT_S = 5
# Any number that nobody else is likely to lock.
_SCHEMA_LOCK = 7_305_826_113


class PostgresTransaction:
    """Statements on one connection, between its BEGIN and its COMMIT.

    After a statement has failed, only the end of the transaction is left.
    """

    is_shared = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: str, *values: Value) -> int:
        """Run a statement; return how many rows it changed."""
        return (await self._run(for_postgres(statement), values)).rowcount

    async def fetch_one(self, statement: str, *values: Value) -> Row | None:
        """Run a query; return its first row, or None."""
        return await (await self._run(for_postgres(statement), values)).fetchone()

    async def fetch_all(self, statement: str, *values: Value) -> list[Row]:
        """Run a query; return every row, in the query's order."""
        return [*await (await self._run(for_postgres(statement), values)).fetchall()]

    async def create(self, statement: str) -> None:
        """Run one statement of a schema, unless what it makes is there.

        To let the server find that out would lock the table, and so come in the way of processes
        that are at work.
        """
        name = name_created_by(statement)
        if name is not None:
            row = await self.fetch_one("SELECT to_regclass(?) IS NOT NULL AS is_there", name)
            if row is not None and row["is_there"]:
                return
        await self._run(schema_for_postgres(statement), ())

    async def _run(self, text: str, values: tuple[Value, ...]) -> AsyncCursor[DictRow]:
        before = cancellations()
        try:
            cursor = await self._connection.execute(text.encode(), values)
        except psycopg.Error as problem:
            raise clear_error(problem) from problem
        end_if_cancelled_since(before)
        return cursor


class PostgresOthers:
    """LISTEN and NOTIFY, each on a connection of its own."""

    def __init__(self, connections: Connections, url: str, connect_timeout_s: int | None) -> None:
        self._connections = connections
        self._url = url
        self._options: dict[str, Any] = {}
        if connect_timeout_s is not None:
            self._options["connect_timeout"] = connect_timeout_s

    async def tell(self, channel: str, text: str) -> None:
        """Send a short text to everybody who listens, this process too."""
        try:
            async with self._connections.one() as connection:
                await connection.execute(b"SELECT pg_notify($1, $2)", (channel, text))
        except psycopg.Error as problem:
            raise clear_error(problem) from problem

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Yield what is told from now on, after an empty text. Raises DatabaseUnreachable."""
        try:
            opening = AsyncConnection.connect(self._url, autocommit=True, **self._options)
            async with await opening as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                yield ""
                async for notice in connection.notifies():
                    yield notice.payload
        except psycopg.Error as problem:
            raise clear_error(problem) from problem


class PostgresDatabase:
    """A pool of connections; each transaction has one of them to itself."""

    def __init__(self, connections: Connections, others: PostgresOthers | None = None) -> None:
        self._connections = connections
        self._trouble = Trouble()
        self.others = others

    @property
    def trouble(self) -> str | None:
        """Why it could not store something in the last seconds."""
        return self._trouble.latest

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        try:
            async with self._connections.one() as connection:
                yield PostgresTransaction(connection)
                before = cancellations()
                if connection.info.transaction_status == TransactionStatus.INERROR:
                    # A COMMIT would be answered as if it were one, and keep nothing.
                    raise DatabaseError(
                        "a statement of the transaction has failed, so nothing of it can be kept"
                    )
        except psycopg.Error as problem:
            error = clear_error(problem)
            await self._note(error)
            raise error from problem
        except DatabaseError as problem:
            await self._note(problem)
            raise
        end_if_cancelled_since(before)

    async def _note(self, problem: DatabaseError) -> None:
        if isinstance(problem, DatabaseUnwritable):
            self._trouble.note(problem)
        elif isinstance(problem, DatabaseUnreachable):
            await self._connections.check()

    async def apply_schema(self, script: str) -> None:
        """Run a script of ``CREATE … IF NOT EXISTS`` statements separated by semicolons.

        Processes that start together take turns: two of them creating the same table at the same
        moment would fail in one, in spite of IF NOT EXISTS.
        """
        async with self.transaction() as transaction:
            await transaction.fetch_one("SELECT pg_advisory_xact_lock(?)", _SCHEMA_LOCK)
            for statement in statements_in(script):
                await transaction.create(statement)

    async def migrate(self, steps: Sequence[str]) -> None:
        """Run the scripts that this database has not had yet; processes take turns here too."""
        async with self.transaction() as transaction:
            await transaction.fetch_one("SELECT pg_advisory_xact_lock(?)", _SCHEMA_LOCK)
            await run_steps(transaction, transaction.create, steps)

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._connections.close()


async def open_postgres(url: str) -> PostgresDatabase:
    """Open ``postgresql://user:password@host:port/name?pool_size=10``.

    Raises BadDatabaseUrl or DatabaseUnreachable.
    """
    address = read_postgres_url(url)
    options: dict[str, Any] = {"row_factory": dict_row, "cursor_factory": AsyncRawCursor}
    connect_timeout_s = None if address.has_timeout else _CONNECT_TIMEOUT_S
    if connect_timeout_s is not None:
        options["connect_timeout"] = connect_timeout_s
    await _try_to_connect(address, options)
    connections = Connections(address.for_driver, address.pool_size, options, _configure)
    await connections.open()
    others = PostgresOthers(connections, address.for_driver, connect_timeout_s)
    return PostgresDatabase(connections, others)


async def _try_to_connect(address: PostgresUrl, options: dict[str, Any]) -> None:
    """Connect once outside the pool, which would only say that it got no connection in time."""
    try:
        connection = await AsyncConnection.connect(address.for_driver, **options)
    except psycopg.OperationalError as problem:
        raise DatabaseUnreachable(
            f"cannot reach the database {address.shown!r}: {reason_of(problem)}"
        ) from None
    except psycopg.Error:
        # What the driver says of a URL that it cannot read may quote the password.
        raise BadDatabaseUrl(
            f"cannot open the database {address.shown!r}: "
            "percent-encode what is special in the URL, and use only parameters that libpq knows"
        ) from None
    await connection.close()


async def _configure(connection: Connection) -> None:
    """Make values and rows what they are on SQLite."""
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_dumper(bool, _TruthDumper)
    connection.adapters.register_loader("numeric", _NumberLoader)


class _TruthDumper(Int8Dumper):
    """True is 1, as it is on SQLite."""

    def dump(self, obj: Any) -> Buffer | None:
        return super().dump(int(obj))


class _NumberLoader(Loader):
    """A sum of whole numbers is a whole number, not a Decimal."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.removeprefix("-").isdecimal() else float(text)
