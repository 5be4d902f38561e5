"""What only a server with several connections can do, and what only it can get wrong."""

import asyncio
import random
import sys

import pytest

from sqlport import (
    SKIP_LOCKED,
    BadDatabaseUrl,
    ConstraintBroken,
    DatabaseBusy,
    DatabaseError,
    DatabaseUnreachable,
    DatabaseUnwritable,
    DriverMissing,
    TransactionConflict,
    open_database,
)

SCHEMA = "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, taken INTEGER DEFAULT 0)"


@pytest.fixture
async def database(postgres_url):
    opened = await open_database(postgres_url + "&pool_size=4")
    await opened.apply_schema(SCHEMA)
    async with opened.transaction() as transaction:
        for one in "abcd":
            await transaction.execute("INSERT INTO jobs (id) VALUES (?)", one)
    yield opened
    await opened.close()


async def take(transaction, limit):
    rows = await transaction.fetch_all(
        f"SELECT id FROM jobs WHERE taken = 0 ORDER BY id LIMIT ? {SKIP_LOCKED}", limit
    )
    return [row["id"] for row in rows]


async def test_each_of_several_transactions_gets_rows_that_no_other_has(database):
    async with database.transaction() as one, database.transaction() as two:
        assert await take(one, 3) == ["a", "b", "c"]
        assert await take(two, 3) == ["d"]
    async with database.transaction() as three:
        assert await take(three, 9) == ["a", "b", "c", "d"]


async def test_what_is_not_committed_is_seen_by_nobody_else(database):
    async with database.transaction() as one:
        await one.execute("DELETE FROM jobs")
        async with database.transaction() as two:
            assert len(await two.fetch_all("SELECT id FROM jobs")) == 4
    async with database.transaction() as three:
        assert await three.fetch_all("SELECT id FROM jobs") == []


async def test_a_schema_may_be_applied_by_several_at_once_and_again(postgres_url):
    tables = "".join(f"CREATE TABLE IF NOT EXISTS t{n} (id TEXT PRIMARY KEY);" for n in range(5))
    databases = [await open_database(postgres_url) for _ in range(4)]
    await asyncio.gather(*(database.apply_schema(tables) for database in databases))
    await databases[0].apply_schema(tables)
    for database in databases:
        await database.close()


async def test_as_many_transactions_as_the_pool_is_large_run_at_once(database):
    all_are_inside = asyncio.Barrier(4)

    async def wait_for_the_others():
        async with database.transaction() as transaction:
            await transaction.fetch_one("SELECT 1")
            await all_are_inside.wait()

    async with asyncio.timeout(60):
        await asyncio.gather(*(wait_for_the_others() for _ in range(4)))


async def test_a_pool_of_one_lets_one_through_after_the_other(postgres_url):
    database = await open_database(postgres_url + "&pool_size=1")
    inside = []

    async def enter():
        async with database.transaction() as transaction:
            inside.append(1)
            assert len(inside) == 1
            await transaction.fetch_one("SELECT 1")
            inside.clear()

    await asyncio.gather(*(enter() for _ in range(10)))
    await database.close()


async def test_without_a_free_connection_the_wait_ends_with_advice(postgres_url, monkeypatch):
    monkeypatch.setattr("sqlport.postgres_pool._FREE_CONNECTION_WAIT_S", 0.1)
    database = await open_database(postgres_url + "&pool_size=1")
    async with database.transaction():
        with pytest.raises(DatabaseBusy, match="raise pool_size"):
            async with database.transaction():
                pass
    await database.close()


async def test_a_failed_statement_whose_error_is_swallowed_does_not_pass_for_a_commit(database):
    async def insert_new_and_old():
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO jobs (id) VALUES ('e')")
            with pytest.raises(ConstraintBroken):
                await transaction.execute("INSERT INTO jobs (id) VALUES ('a')")

    with pytest.raises(DatabaseError, match="nothing of it can be kept"):
        await insert_new_and_old()
    async with database.transaction() as transaction:
        assert len(await take(transaction, 9)) == 4


async def test_of_two_transactions_that_wait_for_each_other_one_ends_and_one_goes_on(database):
    both_hold_one = asyncio.Barrier(2)
    change = "UPDATE jobs SET taken = taken + 1 WHERE id = ?"

    async def work(first, second):
        async with database.transaction() as transaction:
            await transaction.execute(change, first)
            await both_hold_one.wait()
            await transaction.execute(change, second)

    results = await asyncio.gather(work("a", "b"), work("b", "a"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "TransactionConflict"]
    assert "try again" in next(str(one) for one in results if isinstance(one, TransactionConflict))
    async with database.transaction() as transaction:
        row = await transaction.fetch_one("SELECT SUM(taken) AS taken FROM jobs")
    assert row["taken"] == 2


async def test_isolation_does_not_depend_on_how_the_server_is_set_up(postgres_url):
    database = await open_database(
        postgres_url + "&options=-c%20default_transaction_isolation%3Dserializable"
    )
    async with database.transaction() as transaction:
        row = await transaction.fetch_one("SHOW transaction_isolation")
    await database.close()
    assert row["transaction_isolation"] == "read committed"


async def test_after_every_connection_was_cut_only_what_was_under_way_fails(postgres_url, database):
    async with asyncio.TaskGroup() as tasks:  # so that several connections are open
        for _ in range(4):
            tasks.create_task(_sleep(database))
    other = await open_database(postgres_url)
    async with other.transaction() as transaction:
        await transaction.fetch_all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await other.close()
    with pytest.raises(DatabaseUnreachable, match="the database cannot be reached: "):
        await _sleep(database)
    for _ in range(8):
        await _sleep(database)


async def _sleep(database):
    async with database.transaction() as transaction:
        await transaction.fetch_one("SELECT pg_sleep(0.05)")


async def test_what_the_server_does_not_understand_is_one_sentence(database):
    with pytest.raises(DatabaseError) as caught:
        async with database.transaction() as transaction:
            await transaction.execute("SELEKT 1")
    assert str(caught.value).startswith("the database refused a statement: syntax error at")
    assert "\n" not in str(caught.value)


async def test_a_server_that_takes_no_writes_is_told_of_like_a_full_disk(database):
    assert database.trouble is None

    async def insert():
        async with database.transaction() as transaction:
            await transaction.execute("SET TRANSACTION READ ONLY")
            await transaction.execute("INSERT INTO jobs (id) VALUES ('e')")

    with pytest.raises(DatabaseUnwritable, match="cannot store anything: cannot execute INSERT"):
        await insert()
    assert database.trouble.startswith("the database cannot store anything: ")
    async with database.transaction() as transaction:
        assert len(await take(transaction, 9)) == 4


async def test_a_text_with_a_zero_character_is_refused_clearly(database):
    with pytest.raises(DatabaseError, match="NUL"):
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO jobs (id) VALUES (?)", "a\x00b")


async def test_without_a_server_the_address_is_named_and_the_password_is_not():
    pytest.importorskip("psycopg_pool", reason="psycopg is not installed", exc_type=ImportError)
    with pytest.raises(DatabaseUnreachable) as caught:
        await open_database("postgresql://ada:se%63ret@127.0.0.1:9/shop?application_name=x")
    assert str(caught.value).startswith(
        "cannot reach the database 'postgresql://127.0.0.1:9/shop': connection"
    )
    assert "refused" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert_not_told("secret", caught.value)
    assert_not_told("se%63ret", caught.value)


async def test_a_name_that_the_server_does_not_know_is_one_sentence(postgres):
    with pytest.raises(DatabaseUnreachable, match='database "nobody" does not exist'):
        await open_database(postgres.url("nobody"))


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://ada:secret@db/shop?pool_size=0", "pool_size must be a whole number from 1"),
        ("postgresql://ada:secret@db/shop?pool_size=many", "not 'many'"),
        ("postgresql://ada:secret@db/shop?pool_size=", "not ''"),
        ("postgresql://ada:secret@db:port/shop", "percent-encoded"),
        ("postgresql://ada:secret@[db/shop", "percent-encoded"),
        ("postgresql://ada:secret%zz@db/shop", "parameters that libpq knows"),
        ("postgresql://db/shop?password=secret&frobnicate=1", "parameters that libpq knows"),
        ("mysql://ada:secret@db/shop", "or postgresql://user@host/name"),
    ],
)
async def test_a_url_that_cannot_be_used_is_one_sentence_without_the_password(url, part):
    pytest.importorskip("psycopg_pool", reason="psycopg is not installed", exc_type=ImportError)
    with pytest.raises(BadDatabaseUrl) as caught:
        await open_database(url)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert_not_told("secret", caught.value)


def assert_not_told(password, error):
    """Not in the error, nor in what a traceback would show of where it came from."""
    while error is not None:
        assert password not in str(error)
        error = None if error.__suppress_context__ else error.__context__


@pytest.mark.parametrize("missing", ["psycopg", "psycopg_pool"])
async def test_a_missing_driver_is_one_sentence_that_says_what_to_install(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    for name in ("sqlport.postgres", "sqlport.postgres_errors", "sqlport.postgres_pool"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(DriverMissing, match="pip install 'psycopg"):
        await open_database("postgresql://db/shop")


async def test_an_open_database_is_not_needed_to_import_the_port():
    """SQLite must not cost the import of a driver that it does not use."""
    code = "import sys, sqlport; sys.exit('psycopg' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0


async def test_a_cancellation_is_never_lost_and_leaves_no_connection_behind(database):
    async def work():
        while True:
            async with database.transaction() as transaction:
                await transaction.fetch_one("SELECT 1")

    chance = random.Random(1)
    for _ in range(300):
        tasks = [asyncio.create_task(work()) for _ in range(6)]
        await asyncio.sleep(chance.random() * 0.005)
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=60)
        assert not left
        assert all(task.cancelled() for task in tasks)
    await asyncio.gather(*(_sleep(database) for _ in range(8)))


async def test_a_schema_that_is_there_is_in_nobodys_way(database):
    schema = SCHEMA + "; CREATE INDEX IF NOT EXISTS jobs_taken ON jobs (taken)"
    await database.apply_schema(schema)
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE jobs SET taken = 1")
        async with asyncio.timeout(60):
            await database.apply_schema(schema)
