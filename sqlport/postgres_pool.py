"""The connections to a PostgreSQL server: who waits for one, and whether the server is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from sqlport.errors import DatabaseBusy, DatabaseUnreachable
from sqlport.postgres_errors import UNREACHABLE, reason_of

# With another one that waits, the pool's own limit would only be a second one beside ours.
_FREE_CONNECTION_WAIT_S = 10.0
# Long enough for a connection that was cut to be replaced, and for no health check too long.
_AWAY_WAIT_S = 1.0
# The pool doubles the delay between its attempts, up to this time after the first; then it begins
# anew. So it is never long after the server that it is back, however long that was away.
_RECONNECT_TIMEOUT_S = 2.0
_LOG = logging.getLogger("sqlport")


class Reach:
    """Whether the server is away: the last connection was refused, and no other is in use.

    To open one connection more can fail while others work, as with a server that has enough.
    """

    def __init__(self) -> None:
        self._refusal: str | None = None
        self._in_use = 0
        self._waiting: set[asyncio.Timeout] = set()
        self._told_away_at: float | None = None

    @property
    def problem(self) -> str | None:
        """Why the server is away, in its own words; None while it is not known to be."""
        return None if self._in_use else self._refusal

    def refused(self, problem: Exception) -> None:
        """A connection could not be opened."""
        self._refusal = reason_of(problem)
        self._hurry_if_away()

    def answered(self) -> None:
        """A connection could be opened."""
        self._refusal = None
        if self._told_away_at is not None:
            away_s = asyncio.get_running_loop().time() - self._told_away_at
            self._told_away_at = None
            _LOG.warning("the database is back after %.0f s", away_s)

    def tell_away(self, problem: str) -> None:
        """Write that the server is away, once until it is back."""
        if self._told_away_at is None:
            self._told_away_at = asyncio.get_running_loop().time()
            _LOG.warning("%s: %s; it is tried again every second or two", UNREACHABLE, problem)

    @contextmanager
    def using_one(self) -> Iterator[None]:
        """A transaction has a connection."""
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._hurry_if_away()

    @asynccontextmanager
    async def patience(self, latest: float) -> AsyncIterator[None]:
        """Bound a wait, which becomes a short one if the server goes away. Raises TimeoutError."""
        now = asyncio.get_running_loop().time()
        soon = latest if self.problem is None else min(latest, now + _AWAY_WAIT_S)
        async with asyncio.timeout_at(soon) as limit:
            self._waiting.add(limit)
            try:
                yield
            finally:
                self._waiting.discard(limit)

    def _hurry_if_away(self) -> None:
        if self.problem is None:
            return
        latest = asyncio.get_running_loop().time() + _AWAY_WAIT_S
        for limit in self._waiting:
            if not limit.expired() and (limit.when() or latest) > latest:
                limit.reschedule(latest)


class Connection(AsyncConnection[DictRow]):
    """A connection whose opening tells whether the server can be reached."""

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Connection:
        """Open one. ``reach`` is told; all else is the driver's."""
        reach: Reach = options.pop("reach")
        try:
            connection = await super().connect(conninfo, **options)
        except psycopg.OperationalError as problem:
            reach.refused(problem)
            raise
        reach.answered()
        return connection


class Connections:
    """Hands out connections, one to each transaction, and replaces those that were cut."""

    def __init__(self, url: str, pool_size: int, options: dict[str, Any], configure: Any) -> None:
        self._reach = Reach()
        # It has lines for each connection and each attempt; ours say what matters of them.
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        self._pool = AsyncConnectionPool[Connection](
            url,
            connection_class=Connection,
            kwargs={**options, "reach": self._reach},
            configure=configure,
            min_size=1,
            max_size=pool_size,
            reconnect_timeout=_RECONNECT_TIMEOUT_S,
            reconnect_failed=_try_again,
            open=False,
        )

    async def open(self) -> None:
        """Begin to connect."""
        await self._pool.open()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection of one's own; commits on leaving normally, rolls back on any exception.

        Raises DatabaseUnreachable or DatabaseBusy if there is none in time.
        """
        before = cancellations()
        connection = await self._free_one()
        with self._reach.using_one():
            try:
                end_if_cancelled_since(before)
                async with connection:
                    yield connection
            finally:
                await self._pool.putconn(connection)

    async def check(self) -> None:
        """Replace those that were cut while nobody used them."""
        await self._pool.check()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._pool.close()

    async def _free_one(self) -> Connection:
        now = asyncio.get_running_loop().time
        latest = now() + _FREE_CONNECTION_WAIT_S
        while True:
            try:
                async with self._reach.patience(latest):
                    return await self._pool.getconn(timeout=2 * _FREE_CONNECTION_WAIT_S)
            except TimeoutError:
                problem = self._reach.problem
                if problem is not None:
                    self._reach.tell_away(problem)
                    raise DatabaseUnreachable(f"{UNREACHABLE}: {problem}") from None
                if now() >= latest:
                    raise DatabaseBusy(_no_connection()) from None
                # The server came back meanwhile.


def _no_connection() -> str:
    return (
        f"the database gave no connection within {_FREE_CONNECTION_WAIT_S:g} s: "
        "raise pool_size in the database URL, or see whether the server answers"
    )


async def _try_again(pool: AsyncConnectionPool[Connection]) -> None:
    """Go on connecting: the pool gives up after each row of attempts, until somebody asks."""
    await pool.check()


def cancellations() -> int:
    """How often the running task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def end_if_cancelled_since(before: int) -> None:
    """Make up for ``asyncio.wait_for``, with which the driver waits: before Python 3.12 it loses a
    cancellation that comes together with what it waits for, and a worker would never end
    (https://github.com/python/cpython/issues/86296).
    """
    if cancellations() > before:
        raise asyncio.CancelledError
