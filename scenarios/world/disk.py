"""A host's disk: SQLite in memory that outlives incarnations, and the database port on it.

Each incarnation gets a port of its own, which stops answering when the incarnation is dead.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import blake2b
from types import TracebackType
from typing import Any, cast

from scenarios.world.crash_points import CrashPoints
from scenarios.world.engine import Engine, engine_with
from scenarios.world.errors import WorldError
from scenarios.world.incarnation import WORK, Incarnation
from scenarios.world.latency import LatencyProfile
from scenarios.world.loop import VirtualTimeLoop
from scenarios.world.trace import Trace
from sqlport import Others, SqliteDatabase, Transaction

_FRACTION = 2.0**-48


class Disk:
    """What survives a crash. Its engine is taken when first used."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.commits = 0
        self.pristine = True
        self._engine: Engine | None = None
        # The disk as it was before the last commits, oldest first; empty where all are on it.
        self._images: deque[sqlite3.Connection] = deque()

    @property
    def engine(self) -> Engine:
        """SQLite, past every fence."""
        if self._engine is None:
            self._engine = Engine()
        return self._engine

    @property
    def connection(self) -> sqlite3.Connection:
        """The engine's connection, past every fence: for final reads by the harness."""
        return self.engine.connection

    def crash(self, commits_lost: int = 0) -> None:
        """Forget what was not committed, and the last commits if those were only in a cache."""
        if self._engine is not None and self._engine.connection.in_transaction:
            self._engine.connection.rollback()
        if commits_lost and self._images:
            for _ in range(min(commits_lost, len(self._images) - 1)):
                self._images.pop().close()
            self._images[-1].backup(self.connection)

    def cache_commits(self, count: int) -> None:
        """From now on a crash may take the last ``count`` commits, if not more already."""
        images = self._images or [self._image()]
        self._images = deque(images, maxlen=max(count + 1, self._images.maxlen or 0))

    def committed(self) -> None:
        """A transaction has changed something and ended well."""
        self.commits += 1
        if self._images:
            is_full = len(self._images) == self._images.maxlen
            self._images.append(self._image(self._images.popleft() if is_full else None))

    def _image(self, over: sqlite3.Connection | None = None) -> sqlite3.Connection:
        image = over or sqlite3.connect(":memory:")
        self.connection.backup(image)
        return image

    def restore(self, script: str) -> bool:
        """Take what the script makes of an empty disk, if known: far cheaper than to run it."""
        if self._engine is not None or not self.pristine:
            return False
        self._engine = engine_with(script)
        self.pristine = self._engine is None
        return not self.pristine

    def remember(self, script: str) -> None:
        """Keep what the script has made of this disk, if it was empty before."""
        if self.pristine:
            self.engine.remember(script)
            self.pristine = False

    def close(self) -> None:
        """Give the engine back, for the disks of other worlds; this disk is empty from now on."""
        engine, self._engine, self.pristine = self._engine, None, True
        # They are closed, not dropped: a connection holds itself, and all of its memory.
        while self._images:
            self._images.pop().close()
        if engine is not None:
            engine.give_back()

    def __del__(self) -> None:
        if self._engine is not None:
            self._engine.connection.close()


class FencedConnection:
    """A ``sqlite3.Connection`` for one incarnation: it stops answering when that is dead."""

    def __init__(self, disk: Disk, incarnation: Incarnation) -> None:
        self._disk = disk
        self._connection = disk.connection
        self._incarnation = incarnation
        self._closed = False

    @property
    def row_factory(self) -> Any:
        """How rows are made."""
        return self._connection.row_factory

    @row_factory.setter
    def row_factory(self, factory: Any) -> None:
        self._connection.row_factory = factory

    def __getattr__(self, name: str) -> Any:
        self._incarnation.check_alive()
        return getattr(self._connection, name)

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        """Run a statement. Raises HostDead once the incarnation is over."""
        self._incarnation.check_alive()
        if self._closed:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
        try:
            return self._connection.execute(statement, values)
        except sqlite3.OperationalError:
            forbidden = self._disk.engine.forbidden
            if forbidden is not None:
                raise WorldError(
                    f"{self._disk.host} used SQL's {forbidden}(), whose value differs "
                    "in every run: pass the time or the random value in as a parameter"
                ) from None
            raise

    def close(self) -> None:
        """Close for this incarnation; the disk stays."""
        self._closed = True


class HostDatabase:
    """The ``sqlport.Database`` of one incarnation: SQLite with fences, delays and crash sites.

    A commit is a crash site, and takes time, only if it changed a row. Delays come before each
    begin and after such a commit, outside the transaction, where work of others can slip in.
    """

    others: Others | None = None
    trouble: str | None = None

    def __init__(
        self,
        disk: Disk,
        incarnation: Incarnation,
        crash_points: CrashPoints,
        trace: Trace | None,
        seed: int,
        delays: LatencyProfile,
    ) -> None:
        self.disk = disk
        self.incarnation = incarnation
        self.crash_points = crash_points
        self.trace = trace
        self.is_instant = delays.is_instant
        self._delays = delays
        self._passages: Counter[str] = Counter()
        self._address = f"{seed}|{disk.host}|{incarnation.number}"
        self._engine: SqliteDatabase | None = None

    @property
    def engine(self) -> SqliteDatabase:
        """The real port implementation, on the fenced connection."""
        if self._engine is None:
            fenced = FencedConnection(self.disk, self.incarnation)
            self._engine = SqliteDatabase(cast("sqlite3.Connection", fenced))
        return self._engine

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        return _HostTransaction(self)

    async def apply_schema(self, script: str) -> None:
        """Run a script of idempotent statements; no crash site."""
        self.incarnation.check_alive()
        if not self.disk.restore(script):
            await self.engine.apply_schema(script)
            self.disk.remember(script)

    async def migrate(self, steps: Sequence[str]) -> None:
        """Run the scripts that this disk has not had yet; no crash site."""
        self.incarnation.check_alive()
        script = "; ".join(steps)
        if not self.disk.restore(script):
            await self.engine.migrate(steps)
            self.disk.remember(script)

    async def close(self) -> None:
        """Let go of the engine. Idempotent."""
        await self.engine.close()

    async def delay(self, where: str) -> None:
        """Wait as long as the profile says for this passage of this piece of work."""
        work = WORK.get()
        self._passages[work] += 1
        # Once for each passage of a run, so it is worth to be written out for speed.
        key = f"{self._address}|{work}|{where}|{self._passages[work]}".encode()
        drawn = int.from_bytes(blake2b(key, digest_size=6).digest(), "big")
        delay_us = self._delays.delay_us(drawn * _FRACTION)
        # A sleep, without what a sleep of the general sort has to be prepared for.
        loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
        if not loop.skip_us(delay_us):
            future = loop.create_future()
            loop.call_after_us(delay_us, _wake, future)
            await future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class _HostTransaction(AbstractAsyncContextManager[Transaction]):
    def __init__(self, database: HostDatabase) -> None:
        self._database = database
        self._changes_before = 0

    async def __aenter__(self) -> Transaction:
        database = self._database
        database.incarnation.check_alive()
        if not database.is_instant:
            await database.delay("begin")
        database.disk.pristine = False
        self._inner = database.engine.transaction()
        transaction = await self._inner.__aenter__()
        self._connection = database.disk.connection
        self._changes_before = self._connection.total_changes
        return transaction

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if kind is not None:
            return await self._inner.__aexit__(kind, error, traceback)
        if self._connection.total_changes == self._changes_before:
            await self._inner.__aexit__(None, None, None)
            return None
        await self._commit()
        if not self._database.is_instant:
            await self._database.delay("commit")
        return None

    async def _commit(self) -> None:
        database = self._database
        points = database.crash_points.passing("commit")
        if points:
            await database.crash_points.reach(points, "before")
        await self._inner.__aexit__(None, None, None)
        database.disk.committed()
        if database.trace is not None:
            database.trace.record(
                "committed", host=database.disk.host, number=database.disk.commits
            )
        if points:
            await database.crash_points.reach(points, "after")
