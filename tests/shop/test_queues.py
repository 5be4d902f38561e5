"""What is due is found without looking through what is not."""

from __future__ import annotations

from typing import Any

import pytest

from shop import queues, store
from sqlport import open_database

NOW = 1000.0


class Recording:
    """A transaction that notes its queries."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction
        self.queries: list[tuple[str, tuple[Any, ...]]] = []

    async def fetch_all(self, statement: str, *values: Any) -> Any:
        self.queries.append((statement, values))
        return await self._transaction.fetch_all(statement, *values)

    async def fetch_one(self, statement: str, *values: Any) -> Any:
        self.queries.append((statement, values))
        return await self._transaction.fetch_one(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)


async def take(transaction: Any, limit: int = 10) -> queues.Due[Any]:
    return await queues.take_orders_to_check(
        transaction,
        NOW,
        limit,
        first_after_s=60.0,
        delay_after_check=lambda checks: 100.0 * checks,
        look_s=0.25,
    )


async def insert(transaction: Any, name: str, created_at: float, due_at: float | None) -> None:
    await transaction.execute(
        "INSERT INTO orders (id, status, amount_minor, currency, email, items, created_at, "
        "check_due_at) VALUES (?, 'pending', 100, 'EUR', 'a@b.example', '[]', ?, ?)",
        name,
        created_at,
        due_at,
    )


@pytest.fixture
async def database(database_url: str) -> Any:
    opened = await open_database(database_url)
    await opened.apply_schema(store.SCHEMA)
    yield opened
    await opened.close()


async def test_orders_are_checked_when_they_are_old_enough_or_due_again(database: Any) -> None:
    async with database.transaction() as transaction:
        await insert(transaction, "due again", 10.0, NOW)
        await insert(transaction, "old enough", NOW - 60.0, None)
        await insert(transaction, "too young", NOW - 59.5, None)
        await insert(transaction, "due later", 10.0, NOW + 0.75)
        due = await take(transaction)
    assert [order.id for order in due.items] == ["old enough", "due again"]
    assert due.next_at is not None
    assert due.next_at <= NOW + 0.5


async def test_no_more_are_taken_than_there_is_room_for(database: Any) -> None:
    async with database.transaction() as transaction:
        for number in range(5):
            await insert(transaction, f"order {number}", 10.0 + number, None)
        due = await take(transaction, limit=2)
    assert [order.id for order in due.items] == ["order 0", "order 1"]


async def test_orders_that_wait_are_not_looked_through() -> None:
    database = await open_database("sqlite:///:memory:")
    await database.apply_schema(store.SCHEMA)
    async with database.transaction() as transaction:
        recording = Recording(transaction)
        await take(recording)
        for query, values in recording.queries:
            plan = await transaction.fetch_all(f"EXPLAIN QUERY PLAN {query}", *values)
            steps = [row["detail"] for row in plan]
            assert not any(step.startswith("SCAN orders") for step in steps), steps
    await database.close()
    assert len(recording.queries) == 2
