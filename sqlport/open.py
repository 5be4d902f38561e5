"""From a database URL to an open database, or one clear sentence why not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlport.errors import BadDatabaseUrl, DatabaseBusy, DriverMissing, NotADatabase
from sqlport.port import Database
from sqlport.postgres_url import is_postgres
from sqlport.sqlite_group import GroupingSqliteDatabase
from sqlport.sqlite_url import SqliteUrl, is_sqlite, read_sqlite_url

_LOCK_WAIT_S = 2.0
# Statements stay prepared. Those with a list of values come in many lengths.
_STATEMENTS_KEPT = 512


async def open_database(url: str) -> Database:
    """Open ``sqlite:///path`` (relative), ``sqlite:////path`` (absolute) or ``sqlite:///:memory:``.

    With ``?cache_mb=16``, that much of it is kept in memory at most; with ``synchronous=full``,
    what is committed survives a power cut as well.
    Or ``postgresql://user:password@host:port/name?pool_size=10``: that many transactions at once.
    Raises BadDatabaseUrl, DriverMissing, NotADatabase, DatabaseUnreachable or DatabaseBusy.
    """
    if is_postgres(url):
        return await _open_postgres(url)
    if not is_sqlite(url):
        raise BadDatabaseUrl(
            f"cannot open the database {_without_password(url)!r}: "
            "use sqlite:///path/to/file, sqlite:///:memory: or postgresql://user@host/name"
        )
    return GroupingSqliteDatabase(_connect(read_sqlite_url(url)))


async def _open_postgres(url: str) -> Database:
    # Here and not above: the driver is an extra, and nobody else has to wait for its import.
    try:
        from sqlport.postgres import open_postgres
    except ImportError as problem:
        raise DriverMissing(
            "the library for PostgreSQL is not installed: run pip install 'psycopg[binary,pool]'"
        ) from problem
    return await open_postgres(url)


def _connect(url: SqliteUrl) -> sqlite3.Connection:
    """Open the file for this process alone, until it closes the file or dies."""
    path = url.path
    try:
        connection = sqlite3.connect(
            path, timeout=_LOCK_WAIT_S, isolation_level=None, cached_statements=_STATEMENTS_KEPT
        )
    except (sqlite3.OperationalError, ValueError) as problem:
        raise NotADatabase(_cannot_open(path, problem)) from problem
    try:
        # Two services on one file would each do the other's work: every webhook would leave twice.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {url.synchronous}")
        # A checkpoint waits for the disk; every 40 MB instead of every 4 they cost next to nothing.
        connection.execute("PRAGMA wal_autocheckpoint = 10000")
        # A negative number is one of KB, not of pages.
        connection.execute(f"PRAGMA cache_size = -{url.cache_mb * 1024}")
        # What a savepoint may have to take back stays in memory; over 64 KB it would go to a file.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as problem:
        connection.close()
        if "locked" in str(problem):
            raise DatabaseBusy(
                f"the database file {path} is in use by another process: stop it, "
                "or give each service a file of its own"
            ) from problem
        raise NotADatabase(_cannot_open(path, problem)) from problem
    return connection


def _cannot_open(path: str, problem: Exception) -> str:
    if isinstance(problem, ValueError):
        reason = str(problem)
    elif Path(path).is_dir():
        reason = "it is a folder"
    elif path != ":memory:" and not Path(path).parent.is_dir():
        reason = f"the folder {Path(path).parent} does not exist"
    else:
        reason = str(problem)
    return f"cannot open the database file {path}: {reason}"


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}…@{rest.rpartition('@')[2]}" if "@" in rest else url
