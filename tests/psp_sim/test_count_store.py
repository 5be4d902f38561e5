"""Counting by kind: the same numbers as counting everything, also of what changes its kind."""

from collections import Counter

import pytest

from psp_sim.count_store import EventCounts, RowCount, count_by, events_by_type, rows_in
from psp_sim.schema import SCHEMA_STEPS
from sqlport import open_database


@pytest.fixture
async def database():
    database = await open_database("sqlite:///:memory:")
    await database.migrate(SCHEMA_STEPS)
    yield database
    await database.close()


async def deliver(database, number, state):
    async with database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, attempts_before) "
            "VALUES (?, 'e', 'w', ?, 0, 0) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            f"d{number}",
            state,
        )


async def store_event(database, event_type):
    async with database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO events (id, type, payment_id, sequence, created_at, body) "
            "SELECT 'e' || COUNT(*), ?, 'p', 1, 0, '{}' FROM events",
            event_type,
        )


async def states(database):
    async with database.transaction() as transaction:
        total = (await rows_in(transaction, "deliveries", RowCount())).number
        return await count_by(transaction, "deliveries", "state", "delivered", total)


async def test_what_is_usual_is_what_is_left(database):
    assert await states(database) == {}
    for number, state in enumerate(["cancelled", "delivered", "delivered", "waiting"]):
        await deliver(database, number, state)
    assert await states(database) == {"cancelled": 1, "delivered": 2, "waiting": 1}
    await deliver(database, 1, "waiting")
    await deliver(database, 2, "waiting")
    assert await states(database) == {"cancelled": 1, "waiting": 3}


async def test_rows_are_counted_on_from_where_they_were_counted_last(database):
    known = RowCount()
    for number in range(4):
        async with database.transaction() as transaction:
            known = await rows_in(transaction, "deliveries", known)
            assert known == await rows_in(transaction, "deliveries", RowCount())
        assert known == RowCount(number, number)
        await deliver(database, number, "waiting")


async def test_events_are_counted_on_from_where_they_were_counted_last(database):
    known, types = EventCounts(), ["b", "a", "b", "c", "b"]
    for count in range(len(types) + 1):
        if count:
            await store_event(database, types[count - 1])
        async with database.transaction() as transaction:
            known = await events_by_type(transaction, known)
            again = await events_by_type(transaction, EventCounts())
        assert known == again
        assert known.by_type == Counter(types[:count])
        assert known.position == count
