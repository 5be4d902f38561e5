"""The port: what a service may ask of a database, whichever engine answers."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Value = str | int | float | bytes | None


class Row(Protocol):
    """One result row, read by column name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Transaction(Protocol):
    """Statements that take effect together or not at all; ``?`` marks a value on every engine."""

    async def execute(self, statement: str, *values: Value) -> int:
        """Run a statement; return how many rows it changed."""
        ...

    async def fetch_one(self, statement: str, *values: Value) -> Row | None:
        """Run a query; return its first row, or None."""
        ...

    async def fetch_all(self, statement: str, *values: Value) -> list[Row]:
        """Run a query; return every row, in the query's order."""
        ...


class Database(Protocol):
    """A store of rows. Wrap it to put delays, crashes or traces around each transaction."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit on leaving normally, roll back on any exception."""
        ...

    async def apply_schema(self, script: str) -> None:
        """Run a script of ``CREATE … IF NOT EXISTS`` statements separated by semicolons."""
        ...

    async def close(self) -> None:
        """Let go of the engine. Idempotent."""
        ...
