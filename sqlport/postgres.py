"""PostgreSQL behind the port: statements over a pool of connections, several transactions at once.

Transactions are READ COMMITTED. There each statement sees what was committed before it began, a
conflict inside ``INSERT … ON CONFLICT`` waits for the other row and then is one, and nothing ever
fails to serialize; so a transaction that decides upon a row has to lock it when it reads it
(``FOR_UPDATE``, ``SKIP_LOCKED``). Two that wait for each other end with TransactionConflict in
one of them. This port does not run it again, since it cannot run the caller's code again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor, AsyncRawCursor, IsolationLevel, sql
from psycopg.adapt import Buffer, Loader
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import AsyncConnectionPool

from sqlport.dialect import for_postgres, name_created_by, schema_for_postgres, statements_in
from sqlport.errors import BadDatabaseUrl, DatabaseError, DatabaseUnreachable
from sqlport.migration import run_steps
from sqlport.port import Row, Value
from sqlport.postgres_errors import clear_error, reason_of
from sqlport.postgres_url import PostgresUrl, read_postgres_url

Connection = AsyncConnection[DictRow]

_CONNECT_TIMEOUT_S = 5
_FREE_CONNECTION_WAIT_S = 10.0
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
        before = _cancellations()
        try:
            cursor = await self._connection.execute(text.encode(), values)
        except psycopg.Error as problem:
            raise clear_error(problem) from problem
        _end_if_cancelled_since(before)
        return cursor


class PostgresOthers:
    """LISTEN and NOTIFY, each on a connection of its own."""

    def __init__(self, pool: AsyncConnectionPool[Connection], url: str) -> None:
        self._pool = pool
        self._url = url

    async def tell(self, channel: str, text: str) -> None:
        """Send a short text to everybody who listens, this process too."""
        try:
            async with self._pool.connection() as connection:
                await connection.execute(b"SELECT pg_notify($1, $2)", (channel, text))
        except psycopg.Error as problem:
            raise clear_error(problem) from problem

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Yield what is told from now on, after an empty text. Raises DatabaseUnreachable."""
        try:
            async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                yield ""
                async for notice in connection.notifies():
                    yield notice.payload
        except psycopg.Error as problem:
            raise clear_error(problem) from problem


class PostgresDatabase:
    """A pool of connections; each transaction has one of them to itself."""

    def __init__(
        self, pool: AsyncConnectionPool[Connection], others: PostgresOthers | None = None
    ) -> None:
        self._pool = pool
        self.others = others

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        before = _cancellations()
        try:
            async with self._pool.connection() as connection:
                _end_if_cancelled_since(before)
                yield PostgresTransaction(connection)
                before = _cancellations()
                if connection.info.transaction_status == TransactionStatus.INERROR:
                    # A COMMIT would be answered as if it were one, and keep nothing.
                    raise DatabaseError(
                        "a statement of the transaction has failed, so nothing of it can be kept"
                    )
        except psycopg.Error as problem:
            raise clear_error(problem) from problem
        except DatabaseUnreachable:
            await self._pool.check()
            raise
        _end_if_cancelled_since(before)

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
        await self._pool.close()


async def open_postgres(url: str) -> PostgresDatabase:
    """Open ``postgresql://user:password@host:port/name?pool_size=10``.

    Raises BadDatabaseUrl or DatabaseUnreachable.
    """
    address = read_postgres_url(url)
    options: dict[str, Any] = {"row_factory": dict_row, "cursor_factory": AsyncRawCursor}
    if not address.has_timeout:
        options["connect_timeout"] = _CONNECT_TIMEOUT_S
    await _try_to_connect(address, options)
    pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
        address.for_driver,
        connection_class=AsyncConnection[DictRow],
        kwargs=options,
        configure=_configure,
        min_size=1,
        max_size=address.pool_size,
        timeout=_FREE_CONNECTION_WAIT_S,
        open=False,
    )
    await pool.open()
    return PostgresDatabase(pool, PostgresOthers(pool, address.for_driver))


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


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _end_if_cancelled_since(before: int) -> None:
    """Make up for ``asyncio.wait_for``, with which the driver waits: before Python 3.12 it loses a
    cancellation that comes together with what it waits for, and a worker would never end
    (https://github.com/python/cpython/issues/86296).
    """
    if _cancellations() > before:
        raise asyncio.CancelledError


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
