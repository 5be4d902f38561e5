"""A server that is away: callers are told so soon, and soon after it is back all is well."""

import asyncio
import contextlib
import logging
import re
from contextlib import AsyncExitStack

import pytest

from sqlport import DatabaseBusy, DatabaseUnreachable, open_database, soon
from tests.sqlport.way_to_server import WayToServer

psycopg = pytest.importorskip("psycopg", exc_type=ImportError)
psycopg_pool = pytest.importorskip("psycopg_pool", exc_type=ImportError)


@pytest.fixture
async def way(postgres_url):
    opened = WayToServer(postgres_url)
    await opened.mend()
    yield opened
    await opened.cut()


@pytest.fixture
async def database(way):
    opened = await open_database(f"{way.url}&pool_size=2")
    yield opened
    await opened.close()


@pytest.fixture
def delays(monkeypatch):
    """How long the pool has waited before each attempt to connect; it begins with 10 ms."""
    asked = []
    schedule = psycopg_pool.AsyncConnectionPool.schedule_task

    async def schedule_task(pool, task, delay):
        if type(task).__name__ == "AddConnection":
            asked.append(delay)
        await schedule(pool, task, delay)

    monkeypatch.setattr(psycopg_pool.AsyncConnectionPool, "schedule_task", schedule_task)
    monkeypatch.setattr("psycopg_pool.base.AttemptWithBackoff.INITIAL_DELAY", 0.01)
    return asked


async def ask(database):
    async with database.transaction() as transaction:
        return (await transaction.fetch_one("SELECT 1 AS one"))["one"]


async def is_there(database):
    try:
        return await ask(database) == 1
    except DatabaseUnreachable:
        return False


async def until_away(database):
    while True:
        try:
            await ask(database)
        except (DatabaseUnreachable, DatabaseBusy) as problem:
            if "refused" in str(problem):
                return problem


async def test_however_long_the_server_is_away_the_next_attempt_is_soon(way, delays, monkeypatch):
    monkeypatch.setattr("sqlport.postgres_pool._RECONNECT_TIMEOUT_S", 0.02, raising=False)
    monkeypatch.setattr("sqlport.postgres_pool._AWAY_WAIT_S", 0.01, raising=False)
    other = await open_database(f"{way.url}&pool_size=2")
    assert await ask(other) == 1
    await way.cut()
    async with asyncio.timeout(60):
        while len(delays) < 12:
            with contextlib.suppress(DatabaseUnreachable, DatabaseBusy):
                await ask(other)
    assert max(delays) <= 0.02
    await way.mend()
    async with asyncio.timeout(60):
        while not await is_there(other):
            pass
    await other.close()


async def test_the_log_has_one_line_when_the_server_goes_away_and_one_when_it_is_back(
    way, database, delays, caplog
):
    assert await ask(database) == 1
    await way.cut()
    async with asyncio.timeout(60):
        await until_away(database)
        while len(delays) < 6:
            with contextlib.suppress(DatabaseUnreachable, DatabaseBusy):
                await ask(database)
    await way.mend()
    async with asyncio.timeout(60):
        while not await is_there(database):
            pass
    away, back = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert away.getMessage().startswith("the database cannot be reached: ")
    assert away.getMessage().endswith("; it is tried again every second or two")
    assert re.fullmatch(r"the database is back after [\d.]+ s", back.getMessage())


async def test_who_asks_while_the_server_is_away_is_told_so_and_not_to_raise_the_pool_size(
    way, database
):
    assert await ask(database) == 1
    await way.cut()
    async with asyncio.timeout(60):
        problem = await until_away(database)
    assert type(problem) is DatabaseUnreachable
    assert str(problem).startswith("the database cannot be reached: ")
    assert "pool_size" not in str(problem)


async def test_who_waits_for_a_connection_when_the_server_goes_away_need_not_wait_to_the_end(
    way, database, monkeypatch
):
    monkeypatch.setattr("sqlport.postgres_pool._FREE_CONNECTION_WAIT_S", 3600.0, raising=False)
    both_have_one, cut = asyncio.Barrier(3), asyncio.Event()

    async def hold():
        async with database.transaction() as transaction:
            await both_have_one.wait()
            await cut.wait()
            await transaction.fetch_one("SELECT 1")

    holding = [asyncio.create_task(hold()) for _ in range(2)]
    await both_have_one.wait()
    waiting = asyncio.create_task(ask(database))
    await asyncio.sleep(0)
    await way.cut()
    cut.set()
    async with asyncio.timeout(60):
        results = await asyncio.gather(*holding, waiting, return_exceptions=True)
    assert {type(one) for one in results} == {DatabaseUnreachable}


async def take_all(held, database):
    while True:
        await held.enter_async_context(database.transaction())


async def test_a_server_with_no_room_for_one_more_connection_is_not_away(way, monkeypatch):
    database = await open_database(f"{way.url}&pool_size=9")
    assert await ask(database) == 1
    monkeypatch.setattr("sqlport.postgres_pool._FREE_CONNECTION_WAIT_S", 0.1)

    async def refuse(*_, **__):
        raise psycopg.OperationalError("FATAL: sorry, too many clients already")

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", refuse)
    async with AsyncExitStack() as held:
        with pytest.raises(DatabaseBusy, match="raise pool_size"):
            await take_all(held, database)
    assert await ask(database) == 1
    await database.close()


async def test_who_wants_an_answer_soon_is_not_held_by_a_server_that_says_nothing(way, database):
    assert await ask(database) == 1
    way.flowing.clear()
    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            await soon(ask(database), 0.05)
        way.flowing.set()
        while not await is_there(database):
            pass
