"""Transactions on SQLite: all or nothing, one at a time."""

import asyncio
import sqlite3

import pytest

from sqlport import open_database


@pytest.fixture
async def database():
    database = await open_database("sqlite:///:memory:")
    await database.apply_schema("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)")
    yield database
    await database.close()


async def insert(transaction, *values):
    for value in values:
        await transaction.execute("INSERT INTO t (v) VALUES (?)", value)


async def insert_and_raise(database, value):
    async with database.transaction() as transaction:
        await insert(transaction, value)
        raise KeyError("mine")


async def rows(database):
    async with database.transaction() as transaction:
        return [row["v"] for row in await transaction.fetch_all("SELECT v FROM t ORDER BY id")]


async def test_a_transaction_that_ends_normally_is_kept(database):
    async with database.transaction() as transaction:
        await insert(transaction, "a", "b")
    assert await rows(database) == ["a", "b"]


async def test_a_transaction_that_raises_leaves_nothing(database):
    with pytest.raises(KeyError):
        await insert_and_raise(database, "a")
    assert await rows(database) == []


async def test_a_statement_that_fails_takes_the_whole_transaction_back(database):

    async def work():
        async with database.transaction() as transaction:
            await insert(transaction, "a")
            await transaction.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(sqlite3.OperationalError):
        await work()
    assert await rows(database) == []


async def test_a_transaction_that_is_cancelled_leaves_nothing(database):
    has_inserted = asyncio.Event()

    async def work():
        async with database.transaction() as transaction:
            await insert(transaction, "a")
            has_inserted.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await has_inserted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(database) == []


async def test_who_is_cancelled_while_waiting_leaves_the_next_their_turn(database):
    async def wait():
        async with database.transaction():
            raise AssertionError("never gets here")

    async with database.transaction() as transaction:
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await insert(transaction, "a")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await rows(database) == ["a"]


async def test_transactions_take_turns(database):
    log = []

    async def work(name):
        async with database.transaction() as transaction:
            log.append(f"{name} begins")
            await insert(transaction, name)
            await asyncio.sleep(0)
            log.append(f"{name} ends")

    await asyncio.gather(work("a"), work("b"), work("c"))
    assert log == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
    assert await rows(database) == ["a", "b", "c"]


async def test_no_one_else_sees_what_is_not_committed(database):
    async def read():
        return await rows(database)

    async with database.transaction() as transaction:
        await insert(transaction, "a")
        reader = asyncio.create_task(read())
        await asyncio.sleep(0)
        assert not reader.done()
        await insert(transaction, "b")
    assert await reader == ["a", "b"]


async def test_a_failed_transaction_leaves_the_next_their_turn(database):
    for _ in range(3):
        with pytest.raises(KeyError):
            await insert_and_raise(database, "lost")
    async with database.transaction() as transaction:
        await insert(transaction, "kept")
    assert await rows(database) == ["kept"]


async def test_execute_tells_how_many_rows_it_changed(database):
    async with database.transaction() as transaction:
        await insert(transaction, "a", "b")
        assert await transaction.execute("UPDATE t SET v = ?", "c") == 2
        assert await transaction.execute("DELETE FROM t WHERE v = ?", "none") == 0
        upsert = "INSERT INTO t (id, v) VALUES (1, 'x') ON CONFLICT DO NOTHING"
        assert await transaction.execute(upsert) == 0


async def test_one_row_or_none_is_fetched_and_read_by_name(database):
    async with database.transaction() as transaction:
        assert await transaction.fetch_one("SELECT v FROM t") is None
        await insert(transaction, "a", "b")
        row = await transaction.fetch_one("SELECT id, v FROM t WHERE v = ?", "b")
        assert (row["id"], row["v"]) == (2, "b")


@pytest.mark.parametrize("value", ["Zoë \x00 𝄞", 2**62, 1.5, b"\x00\xff", None, ""])
async def test_values_come_back_as_they_went_in(database, value):
    async with database.transaction() as transaction:
        row = await transaction.fetch_one("SELECT ? AS value", value)
    assert row["value"] == value


async def test_a_schema_may_be_applied_again(database):
    script = """
        CREATE TABLE IF NOT EXISTS a (id INTEGER);
        CREATE INDEX IF NOT EXISTS a_id ON a (id);
    """
    await database.apply_schema(script)
    await database.apply_schema(script)
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO a VALUES (1)")


async def test_a_schema_with_a_mistake_is_not_applied_in_part(database):
    with pytest.raises(sqlite3.OperationalError):
        await database.apply_schema("CREATE TABLE b (id INTEGER); CREATE TABEL c (id INTEGER);")
    async with database.transaction() as transaction:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await transaction.fetch_all("SELECT * FROM b")


async def test_closing_twice_is_no_mistake():
    database = await open_database("sqlite:///:memory:")
    await database.close()
    await database.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        async with database.transaction():
            pass
