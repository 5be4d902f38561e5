"""A disk that is full: what cannot be stored is refused in one sentence, and later it can be."""

import asyncio
import sqlite3

import pytest

from sqlport import DatabaseUnreachable, DatabaseUnwritable, SqliteDatabase
from sqlport.sqlite_group import GroupingSqliteDatabase


@pytest.fixture(params=[SqliteDatabase, GroupingSqliteDatabase])
async def stand(request, tmp_path):
    connection = sqlite3.connect(tmp_path / "one.sqlite3", isolation_level=None)
    database = request.param(connection)
    await database.apply_schema("CREATE TABLE t (v TEXT)")
    yield database, connection
    await database.close()


def fill(connection):
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def make_room(connection):
    connection.execute("PRAGMA max_page_count = 100000")


async def insert(database, characters):
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO t (v) VALUES (?)", "x" * characters)


async def lengths(database):
    async with database.transaction() as transaction:
        return [row["n"] for row in await transaction.fetch_all("SELECT LENGTH(v) AS n FROM t")]


async def test_what_has_no_room_is_refused_as_if_the_database_were_away(stand):
    database, connection = stand
    fill(connection)
    with pytest.raises(DatabaseUnwritable, match="cannot store anything: database or disk is full"):
        await insert(database, 100_000)
    assert issubclass(DatabaseUnwritable, DatabaseUnreachable)
    assert await lengths(database) == []


async def test_once_there_is_room_again_all_goes_on(stand):
    database, connection = stand
    fill(connection)
    with pytest.raises(DatabaseUnwritable):
        await insert(database, 100_000)
    make_room(connection)
    await insert(database, 100_000)
    assert await lengths(database) == [100_000]


async def test_of_several_at_once_each_is_stored_or_told_why_not(stand):
    database, connection = stand
    fill(connection)
    outcomes = await asyncio.gather(
        *(insert(database, size) for size in (1, 100_000, 2)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} <= {type(None), DatabaseUnwritable}
    kept = [size for size, outcome in zip((1, 100_000, 2), outcomes, strict=True) if not outcome]
    assert sorted(await lengths(database)) == kept


async def test_a_database_says_for_a_while_why_it_did_not_store_something(stand, monkeypatch):
    database, connection = stand
    assert database.trouble is None
    fill(connection)
    with pytest.raises(DatabaseUnwritable):
        await insert(database, 100_000)
    assert database.trouble == "the database cannot store anything: database or disk is full"
    monkeypatch.setattr("sqlport.trouble.SHOWN_FOR_S", 0.0)
    with pytest.raises(DatabaseUnwritable):
        await insert(database, 100_000)
    assert database.trouble is None


async def test_a_file_that_may_only_be_read_is_refused_alike(tmp_path):
    path = tmp_path / "one.sqlite3"
    sqlite3.connect(path).execute("CREATE TABLE t (v TEXT)").connection.close()
    database = SqliteDatabase(
        sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    )
    with pytest.raises(DatabaseUnwritable, match="readonly"):
        await insert(database, 1)
    await database.close()


async def test_a_statement_that_is_wrong_is_not_put_down_to_the_disk(stand):
    database, _ = stand
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO nowhere VALUES (1)")
    assert database.trouble is None
