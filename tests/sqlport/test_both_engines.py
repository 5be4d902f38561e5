"""What callers rely on, the same on SQLite and on PostgreSQL."""

import asyncio
from enum import StrEnum

import pytest

from sqlport import FOR_UPDATE, SHARED, SKIP_LOCKED, ConstraintBroken

SCHEMA = """
-- A comment; with a semicolon.
CREATE TABLE IF NOT EXISTS notes (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT DEFAULT 'a;b', size INTEGER,
    share REAL, at DOUBLE PRECISION, amount BIGINT, data BLOB
);
CREATE INDEX IF NOT EXISTS notes_by_size ON notes (size) WHERE text = 'TEXT;';
"""


@pytest.fixture(autouse=True)
async def schema(database):
    await database.apply_schema(SCHEMA)


async def insert(database, *ids):
    async with database.transaction() as transaction:
        for one in ids:
            await transaction.execute("INSERT INTO notes (id) VALUES (?)", one)


async def ids(database):
    async with database.transaction() as transaction:
        rows = await transaction.fetch_all("SELECT id FROM notes ORDER BY position")
    return [row["id"] for row in rows]


async def value_of(database, expression, *values):
    async with database.transaction() as transaction:
        row = await transaction.fetch_one(f"SELECT {expression} AS value FROM notes", *values)
    return row["value"]


async def test_a_transaction_keeps_all_or_nothing(database):
    await insert(database, "kept")

    async def break_off():
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO notes (id) VALUES (?)", "lost")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await break_off()
    assert await ids(database) == ["kept"]


async def test_a_cancelled_transaction_keeps_nothing_and_the_next_one_works(database):
    inside = asyncio.Event()

    async def stuck():
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO notes (id) VALUES (?)", "lost")
            inside.set()
            await asyncio.sleep(100)

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await insert(database, "kept")
    assert await ids(database) == ["kept"]


async def test_values_come_back_as_they_went_in(database):
    values = {
        "id": "Zoë – €5 %s $1 ?",
        "text": None,
        "size": 2**40,
        "share": 0.1,
        "at": 1_700_000_000.123456,
        "amount": -(2**63),
        "data": b"\x00\xff",
    }
    async with database.transaction() as transaction:
        await transaction.execute(
            f"INSERT INTO notes ({', '.join(values)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *values.values(),
        )
        row = await transaction.fetch_one("SELECT * FROM notes")
    assert {name: row[name] for name in values} == values
    assert row["position"] == 1


class Colour(StrEnum):
    RED = "red"


async def test_words_of_an_enumeration_and_truth_are_stored_as_text_and_number(database):
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO notes (id, size) VALUES (?, ?)", Colour.RED, True)
        row = await transaction.fetch_one("SELECT id, size FROM notes WHERE size = ?", True)
    assert (row["id"], row["size"]) == ("red", 1)


async def test_a_row_that_is_not_there_is_none(database):
    async with database.transaction() as transaction:
        assert await transaction.fetch_one("SELECT * FROM notes WHERE id = ?", "nobody") is None
        assert await transaction.fetch_all("SELECT * FROM notes WHERE id = ?", "nobody") == []


async def test_execute_tells_how_many_rows_it_changed(database):
    await insert(database, "a", "b", "c")
    async with database.transaction() as transaction:
        change = "UPDATE notes SET size = ? WHERE id <> ?"
        assert await transaction.execute(change, 1, "a") == 2
        assert await transaction.execute("DELETE FROM notes WHERE id = ?", "nobody") == 0


async def test_question_marks_and_percent_signs_in_texts_are_only_texts(database):
    await insert(database, "a")
    text = "'what? 100%s %% it''s' || ? || '?'"
    assert await value_of(database, f"{text} /* why? */", "!") == "what? 100%s %% it's!?"
    async with database.transaction() as transaction:
        row = await transaction.fetch_one(
            'SELECT id AS "who?" FROM notes -- really?\nWHERE id LIKE ?', "%a%"
        )
    assert row["who?"] == "a"


@pytest.mark.parametrize(("wanted", "found"), [(None, ["a", "b"]), ("b", ["b"]), ("c", [])])
async def test_a_filter_that_is_null_filters_nothing(database, wanted, found):
    await insert(database, "a", "b")
    async with database.transaction() as transaction:
        rows = await transaction.fetch_all(
            "SELECT id FROM notes WHERE (? IS NULL OR id = ?) AND (? is not null OR size IS NULL) "
            "ORDER BY id LIMIT ?",
            wanted,
            wanted,
            None,
            10,
        )
    assert [row["id"] for row in rows] == found


@pytest.mark.parametrize(("wanted", "left"), [(None, ["a", "b"]), (7, ["b"]), (7.0, ["b"])])
async def test_a_number_may_be_compared_with_null_too(database, wanted, left):
    await insert(database, "a", "b")
    async with database.transaction() as transaction:
        await transaction.execute("UPDATE notes SET size = 7 WHERE id = ?", "a")
        await transaction.execute("DELETE FROM notes WHERE ? IS NOT NULL AND size = ?", wanted, 7)
    assert await ids(database) == left


async def test_sums_and_counts_of_whole_numbers_are_whole_numbers(database):
    async with database.transaction() as transaction:
        for number in (2**40, -5, 1):
            await transaction.execute(
                "INSERT INTO notes (id, amount, size) VALUES (?, ?, ?)", str(number), number, 1
            )
    total = await value_of(database, "SUM(amount)")
    assert (total, type(total)) == (2**40 - 4, int)
    for expression, result in (("SUM(size)", 3), ("COUNT(*)", 3), ("MAX(position)", 3)):
        value = await value_of(database, expression)
        assert (value, type(value)) == (result, int)
    assert await value_of(database, "AVG(size)") == 1.0
    assert await value_of(database, "SUM(CASE WHEN size = ? THEN 1 ELSE 0 END)", 1) == 3
    assert await value_of(database, "MIN(share)") is None


async def test_positions_are_given_out_in_order(database):
    await insert(database, "c", "a", "b")
    assert await ids(database) == ["c", "a", "b"]


async def test_texts_are_sorted_by_code_point(database):
    await insert(database, "b", "é", "a", "B", "_")
    async with database.transaction() as transaction:
        rows = await transaction.fetch_all("SELECT id FROM notes ORDER BY id")
    assert [row["id"] for row in rows] == ["B", "_", "a", "b", "é"]


async def test_a_second_row_with_the_same_key_is_refused(database):
    await insert(database, "a")
    with pytest.raises(ConstraintBroken, match="the database refused a row: "):
        await insert(database, "b", "a")
    assert await ids(database) == ["a"]


async def test_a_conflict_that_the_statement_provides_for_is_no_error(database):
    await insert(database, "a")
    async with database.transaction() as transaction:
        ignoring = "INSERT INTO notes (id) VALUES (?) ON CONFLICT DO NOTHING"
        assert await transaction.execute(ignoring, "a") == 0
        assert await transaction.execute(ignoring, "b") == 1
        replacing = (
            "INSERT INTO notes (id, text) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET text = excluded.text RETURNING text"
        )
        assert (await transaction.fetch_one(replacing, "a", "new"))["text"] == "new"
    assert await ids(database) == ["a", "b"]


async def test_many_at_once_with_the_same_key_make_one_row(database):
    async def once():
        async with database.transaction() as transaction:
            return await transaction.execute(
                "INSERT INTO notes (id) VALUES (?) ON CONFLICT DO NOTHING", "a"
            )

    assert sum(await asyncio.gather(*(once() for _ in range(20)))) == 1


async def test_many_at_once_that_lock_what_they_read_lose_no_update(database):
    await insert(database, "a")
    await insert(database, "b")

    async def add_one():
        async with database.transaction() as transaction:
            row = await transaction.fetch_one(
                f"SELECT COALESCE(size, 0) AS size FROM notes WHERE id = ? {FOR_UPDATE}", "a"
            )
            await transaction.execute(
                "UPDATE notes SET size = ? WHERE id = ?", row["size"] + 1, "a"
            )

    await asyncio.gather(*(add_one() for _ in range(25)))
    assert await value_of(database, "MAX(size)") == 25


async def test_row_values_can_be_compared(database):
    await insert(database, "a", "b", "c")
    async with database.transaction() as transaction:
        rows = await transaction.fetch_all(
            "SELECT id FROM notes WHERE (position, id) > "
            "(SELECT position, id FROM notes WHERE id = ?) ORDER BY position, id LIMIT ?",
            "a",
            1,
        )
    assert [row["id"] for row in rows] == ["b"]


async def test_a_query_may_ask_for_free_rows_and_whether_there_are_others(database, database_url):
    await insert(database, "a")
    async with database.transaction() as transaction:
        row = await transaction.fetch_one(f"SELECT id, {SHARED} AS shared FROM notes {SKIP_LOCKED}")
    assert (row["id"], row["shared"]) == ("a", int(database_url.startswith("postgresql")))


async def test_closing_twice_is_fine(database):
    await database.close()
    await database.close()


async def test_a_transaction_is_shared_where_others_can_be_at_work(database):
    async with database.transaction() as transaction:
        assert transaction.is_shared == (database.others is not None)
