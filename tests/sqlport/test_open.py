"""Opening a database: what is kept where, and one clear sentence when it cannot be."""

import asyncio
import os
import sqlite3
import sys

import pytest

import sqlport.open
from sqlport import BadDatabaseUrl, DatabaseBusy, DatabaseError, NotADatabase, open_database
from sqlport.sqlite_url import read_sqlite_url

HOLD = """
import asyncio, sys
from sqlport import open_database
database = asyncio.run(open_database(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


async def store(url, value):
    database = await open_database(url)
    await database.apply_schema("CREATE TABLE IF NOT EXISTS t (v TEXT)")
    async with database.transaction() as transaction:
        await transaction.execute("INSERT INTO t VALUES (?)", value)
    return database


async def read(database):
    async with database.transaction() as transaction:
        return [row["v"] for row in await transaction.fetch_all("SELECT v FROM t")]


async def test_a_file_keeps_what_was_committed(tmp_path):
    url = f"sqlite:///{tmp_path}/kept.sqlite3"
    await (await store(url, "a")).close()
    database = await store(url, "b")
    assert await read(database) == ["a", "b"]
    await database.close()


async def test_a_path_with_one_slash_less_is_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await (await store("sqlite:///here.sqlite3", "a")).close()
    assert (tmp_path / "here.sqlite3").stat().st_size > 0


async def test_each_database_in_memory_is_one_of_its_own():
    first, second = [await store("sqlite:///:memory:", name) for name in "ab"]
    assert (await read(first), await read(second)) == (["a"], ["b"])
    await first.close()
    await second.close()


async def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / "empty").touch()
    await (await store(f"sqlite:///{tmp_path}/empty", "a")).close()


@pytest.mark.parametrize(
    "url", ["", "psp.sqlite3", "sqlite://psp.sqlite3", "mysql://x/y", "sqlite:psp", "SQLITE:///x"]
)
async def test_a_url_of_another_kind_is_refused_with_the_right_kind(url):
    with pytest.raises(BadDatabaseUrl) as refused:
        await open_database(url)
    assert f"cannot open the database {url!r}" in str(refused.value)
    assert "use sqlite:///path/to/file, sqlite:///:memory: or postgresql://user@host/name" in str(
        refused.value
    )


async def test_a_url_without_a_path_is_refused():
    with pytest.raises(BadDatabaseUrl, match="names no file"):
        await open_database("sqlite:///")


async def test_a_password_is_never_shown():
    with pytest.raises(BadDatabaseUrl) as refused:
        await open_database("mysql://ada:secr@et@db.example.com/x")
    assert "secr" not in str(refused.value)
    assert "db.example.com/x" in str(refused.value)


@pytest.mark.parametrize("content", [b"not a database " * 500, b"short"])
async def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(NotADatabase, match=r"notes\.txt: file is not a database"):
        await open_database(f"sqlite:///{path}")
    assert path.read_bytes() == content


async def test_a_folder_is_refused(tmp_path):
    with pytest.raises(NotADatabase, match="it is a folder"):
        await open_database(f"sqlite:///{tmp_path}")


async def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(NotADatabase, match=f"the folder {tmp_path}/none does not exist"):
        await open_database(f"sqlite:///{tmp_path}/none/psp.sqlite3")


async def test_a_path_that_no_file_can_have_is_refused():
    with pytest.raises(NotADatabase, match="null"):
        await open_database("sqlite:///a\0b")


async def test_a_file_that_another_process_has_open_is_busy_until_that_ends(tmp_path, monkeypatch):
    """Two providers on one file would each send every webhook."""
    monkeypatch.setattr(sqlport.open, "_LOCK_WAIT_S", 0.1)
    url = f"sqlite:///{tmp_path}/one.sqlite3"
    await (await store(url, "a")).close()
    command = [sys.executable, "-c", HOLD, url]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109 - where sqlport is found
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    holder = await asyncio.create_subprocess_exec(*command, **pipes, env=environment)
    assert await holder.stdout.readline() == b"open\n"
    with pytest.raises(DatabaseBusy, match="in use by another process: stop it, or give each"):
        await open_database(url)
    holder.kill()
    await holder.communicate()
    database = await open_database(url)
    assert await read(database) == ["a"]
    await database.close()


async def test_a_file_that_is_open_is_busy_in_the_same_process_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlport.open, "_LOCK_WAIT_S", 0.1)
    url = f"sqlite:///{tmp_path}/one.sqlite3"
    database = await store(url, "a")
    with pytest.raises(DatabaseBusy):
        await open_database(url)
    assert await read(database) == ["a"]
    await database.close()
    await (await open_database(url)).close()


async def test_a_file_that_another_tool_is_writing_to_is_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlport.open, "_LOCK_WAIT_S", 0.1)
    url = f"sqlite:///{tmp_path}/one.sqlite3"
    await (await store(url, "a")).close()
    tool = sqlite3.connect(tmp_path / "one.sqlite3", isolation_level=None)
    tool.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        await open_database(url)
    tool.close()
    await (await open_database(url)).close()


def test_every_error_is_a_database_error():
    for error in (BadDatabaseUrl, NotADatabase, DatabaseBusy):
        assert issubclass(error, DatabaseError)


@pytest.mark.parametrize(("query", "kilobytes"), [("", 65_536), ("?cache_mb=4", 4096)])
def test_the_page_cache_is_as_large_as_the_url_says(query, kilobytes):
    connection = sqlport.open._connect(read_sqlite_url(f"sqlite:///:memory:{query}"))
    assert connection.execute("PRAGMA cache_size").fetchone() == (-kilobytes,)
    connection.close()


@pytest.mark.parametrize(("query", "level"), [("", 1), ("?synchronous=full&cache_mb=4", 2)])
def test_a_commit_waits_for_the_disk_when_the_url_says_so(tmp_path, query, level):
    url = read_sqlite_url(f"sqlite:///{tmp_path}/durable.sqlite3{query}")
    connection = sqlport.open._connect(url)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    connection.close()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("cache_mb=0", "not a whole number from 1"),
        ("cache_mb=", "not a whole number from 1"),
        ("cache_mb=1.5", "not a whole number from 1"),
        ("cache_mb=99999999", "not a whole number from 1"),
        ("pool_size=3", "asks for pool_size: only cache_mb and synchronous are known"),
        ("synchronous=off", "synchronous=off in a database URL is neither normal nor full"),
    ],
)
async def test_a_wrong_parameter_is_told_and_makes_no_file(tmp_path, query, told):
    with pytest.raises(BadDatabaseUrl, match=told):
        await open_database(f"sqlite:///{tmp_path}/new.sqlite3?{query}")
    assert list(tmp_path.iterdir()) == []
