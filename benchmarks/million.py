"""A million payments stored: do deliveries and lists go on as with none? Takes a few minutes."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.http_load import ask, request, send_all
from benchmarks.provider_speed import AUTHORISED, Bench, backlog_speed, payments_speed
from benchmarks.watch import Speed, Watch

LISTS = 1500
_PEER = "the same with next to nothing stored"

# Copies of one payment that went its whole way. ``n`` numbers them; ids and references follow it.
_TABLES = {
    "orders": ("reference",),
    "payments": ("id", "reference", "order_number", "details"),
    "idempotency_keys": ("key", "body"),
    "events": ("id", "payment_id", "body"),
    "deliveries": ("id", "event_id"),
    "attempts": ("delivery_id", "webhook_id", "request_headers"),
}


async def measured(folder: Path, stored: int, payments: int) -> list[Figure]:
    """Measure on a small database, then on one with so many payments, in the same run."""
    small = await _speeds(_folder(folder, "small"), payments)
    large_folder = _folder(folder, "large")
    await _one_payment(large_folder)
    fill(large_folder / "psp.sqlite3", stored)
    large = await _speeds(large_folder, payments)
    figures = [
        Figure.against(
            f"{name}_per_cpu_second_with_{stored}_stored",
            large[name].per_cpu_second,
            "1/s",
            _PEER,
            small[name].per_cpu_second,
        )
        for name in small
    ]
    memory_mb = max(speed.memory_mb for speed in large.values())
    of_small = max(speed.memory_mb for speed in small.values())
    file_mb = (large_folder / "psp.sqlite3").stat().st_size / 1e6
    return [
        *figures,
        Figure.against(
            f"provider_memory_mb_with_{stored}_stored", memory_mb, "MB", _PEER, of_small
        ),
        Figure.alone(f"database_file_mb_with_{stored}_stored", file_mb, "MB"),
    ]


def fill(database: Path, copies: int) -> None:
    """Multiply the one payment that is in the database, with all that belongs to it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        (found,) = connection.execute("SELECT id FROM payments").fetchone()
        marks = _marks(connection, found)
        for table, changed in _TABLES.items():
            _copy_rows(connection, table, changed, marks, copies)


def _marks(connection: sqlite3.Connection, payment_id: str) -> list[str]:
    """Return the texts that have to differ in each copy: the end of every id, and the reference."""
    events = [row[0] for row in connection.execute("SELECT id FROM events")]
    (reference,) = connection.execute("SELECT reference FROM payments").fetchone()
    return [*(each[-9:] for each in (payment_id, *events)), reference]


def _copy_rows(
    connection: sqlite3.Connection, table: str, changed: tuple[str, ...], marks: list[str], n: int
) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    kept = [column for column in columns if column not in ("position", "number")] + (
        ["number"] if table == "attempts" else []
    )
    values = ", ".join(_changed(column, marks) if column in changed else column for column in kept)
    # Rows of one payment stay together, as they came.
    connection.execute(
        f"INSERT INTO {table} ({', '.join(kept)}) WITH RECURSIVE numbers (n) AS "
        f"(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {n}) "
        f"SELECT {values} FROM numbers CROSS JOIN (SELECT * FROM {table}) ORDER BY n"
    )


def _changed(column: str, marks: list[str]) -> str:
    if column == "order_number":
        return "1 + n"
    text = column
    for mark in marks:
        # As long as before: what replaces the end of an id has its nine characters.
        text = f"replace({text}, '{mark}', printf('%09d', n))"
    return text


async def _speeds(folder: Path, payments: int) -> dict[str, Speed]:
    with ExitStack() as stack:
        bench = Bench(stack, folder, "--settle-after", "0s")
        await bench.begin()
        backlog = await backlog_speed(bench, payments, "unheard")
        paid = await payments_speed(bench, payments, "heard")
        # By now there are full pages on the small database too.
        lists = {name: await _list_speed(bench, path) for name, path in _LISTS.items()}
    return {"payments": paid, "backlog_deliveries": backlog, **lists}


_LISTS = {
    "payment_lists": "/v1/payments?limit=20",
    "payment_lists_by_reference": "/v1/payments?reference=heard1&limit=20",
    "event_lists": "/v1/events?limit=20",
}


async def _list_speed(bench: Bench, path: str) -> Speed:
    watch = Watch(bench.provider)
    load = await send_all(
        bench.provider.url, iter([request("GET", path, headers=AUTHORISED)] * LISTS), 16
    )
    assert load.statuses == {200: LISTS}, load.statuses
    return watch.speed(LISTS)


async def _one_payment(folder: Path) -> None:
    """Let one payment go all its way, so that there is something to copy."""
    with ExitStack() as stack:
        bench = Bench(stack, folder, "--settle-after", "0s")
        endpoint_id = await bench.register()
        await bench.pay(1, "seed")
        await bench.until_delivered(1)
        # Deliveries of it are copied too; nothing more is to go there.
        path = f"/v1/webhook_endpoints/{endpoint_id}"
        await ask(bench.provider.url, request("DELETE", path, headers=AUTHORISED))


def _folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
