"""Transactions that end together share one commit, and nothing else."""

import asyncio
import sqlite3

import pytest

from sqlport.sqlite_group import GroupingSqliteDatabase


@pytest.fixture
async def stand():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    database = GroupingSqliteDatabase(connection)
    await database.apply_schema("CREATE TABLE t (v TEXT)")
    statements = []
    connection.set_trace_callback(statements.append)
    yield database, connection, statements
    await database.close()


async def insert(database, value, *, then=None):
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO t (v) VALUES (?)", value)
        if then is not None:
            then()


def kept(connection):
    return sorted(row[0] for row in connection.execute("SELECT v FROM t"))


def refuse():
    raise KeyError("mine")


async def test_ten_that_end_together_are_one_commit(stand):
    database, connection, statements = stand
    await asyncio.gather(*(insert(database, str(number)) for number in range(10)))
    assert statements.count("COMMIT") == 1
    assert len(kept(connection)) == 10


async def test_one_after_the_other_is_one_commit_each(stand):
    database, _, statements = stand
    for number in range(3):
        await insert(database, str(number))
    assert statements.count("COMMIT") == 3


async def test_one_that_fails_takes_nothing_of_the_others_back(stand):
    database, connection, _ = stand
    outcomes = await asyncio.gather(
        insert(database, "before"),
        insert(database, "mine", then=refuse),
        insert(database, "after"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), KeyError, type(None)]
    assert kept(connection) == ["after", "before"]


async def test_nobody_is_told_before_the_commit(stand):
    database, connection, statements = stand

    async def insert_and_look():
        await insert(database, "a")
        return statements.count("COMMIT"), connection.in_transaction

    assert await asyncio.gather(*(insert_and_look() for _ in range(3))) == [(1, False)] * 3


async def test_when_the_engine_takes_all_back_all_are_told(stand):
    """As with a full disk: SQLite then ends the whole transaction by itself."""
    database, connection, _ = stand

    def break_off():
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    outcomes = await asyncio.gather(
        insert(database, "before"),
        insert(database, "mine", then=break_off),
        insert(database, "after"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [
        sqlite3.OperationalError,
        sqlite3.OperationalError,
        type(None),
    ]
    assert kept(connection) == ["after"]


async def test_a_commit_that_fails_is_told_to_all(stand):
    database, connection, _ = stand
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE owned (id INTEGER REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED)"
    )

    async def own_nothing():
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO owned VALUES (1)")

    outcomes = await asyncio.gather(
        insert(database, "a"), own_nothing(), insert(database, "b"), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {sqlite3.OperationalError}
    assert kept(connection) == []
    await insert(database, "c")
    assert kept(connection) == ["c"]


async def test_who_is_cancelled_while_waiting_for_the_commit_takes_it_from_nobody(stand):
    database, connection, _ = stand
    tasks = [asyncio.create_task(insert(database, str(number))) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] is outcomes[2] is None
    assert kept(connection)[0] == "0"
