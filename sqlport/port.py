"""The port: what a service may ask of a database, whichever engine answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Value = str | int | float | bytes | None


class Row(Protocol):
    """One result row, read by column name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Transaction(Protocol):
    """Statements that take effect together or not at all; ``?`` marks a value on every engine.

    ``is_shared`` tells whether other transactions can be under way at the same time: only then is
    there anybody to lock something against.
    """

    @property
    def is_shared(self) -> bool:
        """Whether there can be other transactions beside this one."""
        ...

    async def execute(self, statement: str, *values: Value) -> int:
        """Run a statement; return how many rows it changed."""
        ...

    async def fetch_one(self, statement: str, *values: Value) -> Row | None:
        """Run a query; return its first row, or None."""
        ...

    async def fetch_all(self, statement: str, *values: Value) -> list[Row]:
        """Run a query; return every row, in the query's order."""
        ...


class Others(Protocol):
    """The way to other processes that use the same database."""

    async def tell(self, channel: str, text: str) -> None:
        """Send a short text to everybody who listens, this process too."""
        ...

    def listen(self, channel: str) -> AsyncIterator[str]:
        """Yield what is told from now on; an empty text first, once nothing will be missed.

        Raises DatabaseUnreachable when the way is cut: what was told meanwhile is lost.
        """
        ...


class Database(Protocol):
    """A store of rows. Wrap it to put delays, crashes or traces around each transaction.

    ``others`` is None where no other process can be using it.
    """

    @property
    def trouble(self) -> str | None:
        """Why it could not store something in the last seconds; None if it could, or need not."""
        ...

    @property
    def others(self) -> Others | None:
        """The way to other processes, if there can be any."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        ...

    async def apply_schema(self, script: str) -> None:
        """Run a script of ``CREATE … IF NOT EXISTS`` statements separated by semicolons."""
        ...

    async def migrate(self, steps: Sequence[str]) -> None:
        """Run the scripts that this database has not had yet, in order, each of them once.

        A new version of a program adds a step at the end. Raises DatabaseError for a database that
        has had more steps than these.
        """
        ...

    async def close(self) -> None:
        """Let go of the engine. Idempotent."""
        ...
