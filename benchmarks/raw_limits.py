"""What the machine gives at best, measured in the same run: server, client, database, bare."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from pyreqwest.client import ClientBuilder

from benchmarks.http_load import request, send_all
from benchmarks.processes import cores, running
from benchmarks.watch import Speed, Watch, in_parallel

_SECONDS = 2.0
_BODY = b"x" * 600


async def empty_server(folder: Path, requests: int) -> Speed:
    """Requests per second that an application takes which does nothing."""
    with ExitStack() as stack:
        server = stack.enter_context(running(["benchmarks.empty_app"], folder, core=cores()[0]))
        one = request("POST", "/", {"reference": "o" * 60})
        await send_all(server.url, iter([one] * 500), 64)
        watch = Watch(server)
        await send_all(server.url, iter([one] * requests), 64)
        return watch.speed(requests)


async def bare_client(folder: Path, calls: int) -> float:
    """Calls per second of this process's time with the HTTP client alone, 64 at once."""
    with running(["benchmarks.consumer"], folder, core=cores()[1]) as consumer:
        client = ClientBuilder().no_proxy().build()

        async def call() -> None:
            sent = client.post(f"{consumer.url}/hooks").body_bytes(_BODY)
            await sent.timeout(timedelta(seconds=30)).build().send()

        await in_parallel(call, 500, 64)
        started_at = time.process_time()
        await in_parallel(call, calls, 64)
        lasted_s = time.process_time() - started_at
        await client.close()
    return calls / lasted_s


def bare_database(folder: Path) -> float:
    """Transactions of one insert and one update per second of processor time."""
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    done, started_at, ends_at = 0, time.process_time(), time.monotonic() + _SECONDS
    while time.monotonic() < ends_at:
        connection.execute("BEGIN IMMEDIATE")
        made = connection.execute("INSERT INTO t (body) VALUES (?)", (_BODY,)).lastrowid
        connection.execute("UPDATE t SET body = ? WHERE id = ?", (_BODY, made))
        connection.execute("COMMIT")
        done += 1
    lasted_s = time.process_time() - started_at
    connection.close()
    return done / lasted_s
