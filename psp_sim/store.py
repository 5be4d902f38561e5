"""Every statement that the provider runs on payments, events, keys and faults."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from psp_sim.domain.course import Course, Due
from psp_sim.domain.dispute import Dispute
from psp_sim.domain.event import Event
from psp_sim.domain.idempotency import Answer
from psp_sim.domain.money import Money
from psp_sim.domain.payment import CaptureMethod, Payment, Status
from psp_sim.domain.refund import Refund
from sqlport import FOR_UPDATE, SKIP_LOCKED, Row, Transaction, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
    order_number INTEGER NOT NULL, amount_minor BIGINT NOT NULL, currency TEXT NOT NULL,
    payment_method TEXT NOT NULL, metadata TEXT NOT NULL, status TEXT NOT NULL,
    sequence INTEGER NOT NULL, created_at DOUBLE PRECISION NOT NULL, due_at DOUBLE PRECISION,
    details TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payments_by_reference ON payments (reference);
CREATE INDEX IF NOT EXISTS payments_by_order ON payments (order_number);
CREATE INDEX IF NOT EXISTS payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refunds (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_by_payment ON refunds (payment_id);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
    payment_id TEXT NOT NULL, sequence INTEGER NOT NULL, created_at DOUBLE PRECISION NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_payment ON events (payment_id, type);
CREATE TABLE IF NOT EXISTS faults (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
    fired INTEGER NOT NULL, created_at DOUBLE PRECISION NOT NULL
);
CREATE TABLE IF NOT EXISTS fired_by_kind (kind TEXT PRIMARY KEY, fired INTEGER NOT NULL);
"""

BOOTS_SCHEMA = "CREATE TABLE IF NOT EXISTS boots (number INTEGER PRIMARY KEY)"

_PAYMENT = (
    "position, id, reference, order_number, amount_minor, currency, payment_method, metadata, "
    "status, sequence, created_at, due_at, details"
)


class _Details(msgspec.Struct):
    course: Course
    agenda: tuple[Due, ...]
    capture_method: CaptureMethod
    captured_minor: int
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    failure_code: str | None
    expires_at: float | None
    action_url: str | None


# Each number of rows is a statement of its own, which is prepared once and kept.
ROWS_AT_ONCE = 32

# Any number that nobody else is likely to lock.
_LISTS = 7_305_826_114

_details_of = attrgetter(*_Details.__struct_fields__)
_DETAILS_DECODER = msgspec.json.Decoder(_Details)


async def count_boot(transaction: Transaction) -> int:
    """Return which start on this database this is, from 1."""
    await transaction.execute("INSERT INTO boots (number) SELECT COUNT(*) + 1 FROM boots")
    row = await transaction.fetch_one("SELECT COUNT(*) AS number FROM boots")
    assert row is not None
    return int(row["number"])


async def await_writers(transaction: Transaction) -> None:
    """Have every position so far filled, before reading a list that a cursor goes along.

    On PostgreSQL a transaction with a lower position can end after one with a higher: a reader who
    had gone on to the higher one would never see the lower.
    """
    if transaction.is_shared:
        await transaction.fetch_one(f"SELECT pg_advisory_xact_lock({_LISTS})")


async def _write_in_turn(transaction: Transaction) -> None:
    await transaction.fetch_one(f"SELECT pg_advisory_xact_lock_shared({_LISTS})")


async def insert_payment(transaction: Transaction, payment: Payment) -> None:
    """Store a new payment."""
    if transaction.is_shared:
        await _write_in_turn(transaction)
    await transaction.execute(
        f"INSERT INTO payments ({_PAYMENT.removeprefix('position, ')}) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        payment.id,
        payment.reference,
        payment.order_number,
        payment.money.amount_minor,
        payment.money.currency,
        payment.payment_method,
        msgspec.json.encode(payment.metadata).decode(),
        # Plain text: for a value of an enumeration SQLite's module looks for an adapter each time.
        payment.status._value_,
        payment.sequence,
        payment.created_at,
        payment.due_at,
        _details(payment),
    )


async def update_payment(transaction: Transaction, payment: Payment) -> None:
    """Store what can change about a payment."""
    await transaction.execute(
        "UPDATE payments SET status = ?, sequence = ?, due_at = ?, details = ? WHERE id = ?",
        payment.status._value_,
        payment.sequence,
        payment.due_at,
        _details(payment),
        payment.id,
    )


async def payment_by_id(transaction: Transaction, payment_id: str) -> Payment | None:
    """Return one payment, or None."""
    row = await transaction.fetch_one(f"SELECT {_PAYMENT} FROM payments WHERE id = ?", payment_id)
    return _payment(row) if row else None


async def payment_to_change(transaction: Transaction, payment_id: str) -> Payment | None:
    """Return one payment, or None; nobody else changes it until the transaction is over."""
    row = await transaction.fetch_one(
        f"SELECT {_PAYMENT} FROM payments WHERE id = ? {FOR_UPDATE}", payment_id
    )
    return _payment(row) if row else None


async def order_number_of(transaction: Transaction, reference: str) -> int:
    """Return which order a reference is, counted from 1 in the order in which they are seen.

    It is kept from the first request on, so that an order whose request was lost has its number.
    """
    known = "SELECT number FROM orders WHERE reference = ?"
    row = await transaction.fetch_one(known, reference)
    if row is None:
        row = await transaction.fetch_one(
            "INSERT INTO orders (reference) VALUES (?) ON CONFLICT (reference) DO NOTHING "
            "RETURNING number",
            reference,
        )
    if row is None:
        row = await transaction.fetch_one(known, reference)
    assert row is not None, "another transaction put it there in between"
    return int(row["number"])


async def list_payments(
    transaction: Transaction,
    after: int,
    limit: int,
    reference: str | None = None,
    status: str | None = None,
    created_from: float | None = None,
    created_before: float | None = None,
) -> list[tuple[int, Payment]]:
    """Return payments with their positions, oldest first. Times are in Unix seconds."""
    wanted: list[tuple[str, str | float | None]] = [
        ("reference = ?", reference),
        ("status = ?", status),
        ("created_at >= ?", created_from),
        ("created_at < ?", created_before),
    ]
    filters = [(condition, value) for condition, value in wanted if value is not None]
    await await_writers(transaction)
    rows = await transaction.fetch_all(
        f"SELECT {_PAYMENT} FROM payments WHERE position > ? "
        + "".join(f"AND {condition} " for condition, _ in filters)
        + "ORDER BY position LIMIT ?",
        after,
        *(value for _, value in filters),
        limit,
    )
    return [(row["position"], _payment(row)) for row in rows]


async def payments_due(transaction: Transaction, now: float, limit: int) -> list[Payment]:
    """Return payments on which something is due, the longest overdue first.

    They are this transaction's: another process gets others, and these again only if it fails.
    """
    rows = await transaction.fetch_all(
        f"SELECT {_PAYMENT} FROM payments WHERE due_at <= ? ORDER BY due_at, position LIMIT ? "
        f"{SKIP_LOCKED}",
        now,
        limit,
    )
    return [_payment(row) for row in rows]


async def payments_with_plans(transaction: Transaction, limit: int) -> list[Payment]:
    """Return payments on which something is still to happen, the next to change first."""
    rows = await transaction.fetch_all(
        f"SELECT {_PAYMENT} FROM payments WHERE due_at IS NOT NULL "
        "ORDER BY due_at, position LIMIT ?",
        limit,
    )
    return [_payment(row) for row in rows]


async def next_payment_due_at(transaction: Transaction) -> float | None:
    """Return when something is next due on a payment, or None."""
    row = await transaction.fetch_one(
        "SELECT MIN(due_at) AS at FROM payments WHERE due_at IS NOT NULL"
    )
    return row["at"] if row else None


async def lock_key(transaction: Transaction, key: str) -> bool:
    """Hold a key until the transaction is over; False if another process holds it already.

    Only where there can be other processes.
    """
    row = await transaction.fetch_one(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(?, 0)) AS is_mine", key
    )
    assert row is not None, "there is always a row"
    return bool(row["is_mine"])


async def stored_answer(
    transaction: Transaction, key: str, since: float
) -> tuple[str, Answer] | None:
    """Return the fingerprint and the answer of the first request with this key, or None.

    One that was made before ``since`` is forgotten.
    """
    row = await transaction.fetch_one(
        "SELECT fingerprint, status, body FROM idempotency_keys WHERE key = ? AND created_at > ?",
        key,
        since,
    )
    return (row["fingerprint"], Answer(row["status"], row["body"])) if row else None


async def store_answer(
    transaction: Transaction, key: str, fingerprint: str, answer: Answer, now: float
) -> None:
    """Keep the answer for every repeat of the request, in the place of one that is forgotten."""
    await transaction.execute(
        "INSERT INTO idempotency_keys (key, fingerprint, status, body, created_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
        "fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body, "
        "created_at = excluded.created_at",
        key,
        fingerprint,
        answer.status,
        answer.body,
        now,
    )


async def insert_events(transaction: Transaction, events: Sequence[Event]) -> None:
    """Store new events, in their order."""
    if transaction.is_shared:
        await _write_in_turn(transaction)
    insert = "INSERT INTO events (id, type, payment_id, sequence, created_at, body)"
    await insert_rows(transaction, insert, events)


async def insert_rows(
    transaction: Transaction, insert: str, rows: Sequence[Sequence[Value]], rest: str = ""
) -> None:
    """Run ``INSERT … VALUES … rest`` for all rows: many at once take half the time."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        statement = _insert_of(insert, len(some[0]), len(some), rest)
        await transaction.execute(statement, *chain.from_iterable(some))


@lru_cache(maxsize=256)
def _insert_of(insert: str, columns: int, rows: int, rest: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{insert} VALUES {', '.join([row] * rows)} {rest}".rstrip()


async def list_events(
    transaction: Transaction, after: int, limit: int, payment_id: str | None, kind: str | None
) -> list[tuple[int, str]]:
    """Return event bodies with their positions, oldest first."""
    wanted = (("payment_id = ?", payment_id), ("type = ?", kind))
    filters = [(condition, value) for condition, value in wanted if value is not None]
    await await_writers(transaction)
    rows = await transaction.fetch_all(
        "SELECT position, body FROM events WHERE position > ? "
        + "".join(f"AND {condition} " for condition, _ in filters)
        + "ORDER BY position LIMIT ?",
        after,
        *(value for _, value in filters),
        limit,
    )
    return [(row["position"], row["body"]) for row in rows]


async def event_body(transaction: Transaction, event_id: str) -> str | None:
    """Return one event as it is sent, or None."""
    row = await transaction.fetch_one("SELECT body FROM events WHERE id = ?", event_id)
    return row["body"] if row else None


async def insert_fault(
    transaction: Transaction, fault_id: str, document: dict[str, Any], now: float
) -> None:
    """Keep a fault, so that a restart does not lift it."""
    await transaction.execute(
        "INSERT INTO faults (id, document, fired, created_at) VALUES (?, ?, 0, ?) "
        "ON CONFLICT (id) DO NOTHING",
        fault_id,
        json.dumps(document),
        now,
    )


async def list_faults(transaction: Transaction) -> Sequence[Row]:
    """Return id, document, fired and created_at of every fault, oldest first."""
    return await transaction.fetch_all(
        "SELECT id, document, fired, created_at FROM faults ORDER BY position"
    )


async def add_fired(transaction: Transaction, fault_id: str, times: int) -> None:
    """Store that a fault has fired so many times more."""
    await transaction.execute("UPDATE faults SET fired = fired + ? WHERE id = ?", times, fault_id)


async def add_fired_by_kind(transaction: Transaction, kind: str, times: int) -> None:
    """Store how often faults of one kind have fired, those lifted since and scripted ones too."""
    await transaction.execute(
        "INSERT INTO fired_by_kind (kind, fired) VALUES (?, ?) "
        "ON CONFLICT (kind) DO UPDATE SET fired = fired_by_kind.fired + excluded.fired",
        kind,
        times,
    )


async def fired_by_kind(transaction: Transaction) -> dict[str, int]:
    """Return how often faults of each kind have fired."""
    rows = await transaction.fetch_all("SELECT kind, fired FROM fired_by_kind ORDER BY kind")
    return {row["kind"]: row["fired"] for row in rows}


async def delete_fault(transaction: Transaction, fault_id: str | None) -> int:
    """Lift one fault, or all of them for None; return how many were lifted."""
    return await transaction.execute(
        "DELETE FROM faults WHERE ? IS NULL OR id = ?", fault_id, fault_id
    )


def _payment(row: Row) -> Payment:
    return Payment(
        row["id"],
        row["reference"],
        row["order_number"],
        Money(row["amount_minor"], row["currency"]),
        row["payment_method"],
        read_metadata(row["metadata"]),
        Status(row["status"]),
        row["sequence"],
        row["created_at"],
        # The rest of a payment, in its order.
        *_details_of(_DETAILS_DECODER.decode(row["details"])),
    )


def read_metadata(text: str | None) -> dict[str, str]:
    """Return what a merchant stored with a payment; nothing of what has no payment."""
    return {} if text is None or text == "{}" else dict(msgspec.json.decode(text))


def _details(payment: Payment) -> str:
    """Return the parts that no query asks about as one text."""
    return msgspec.json.encode(_Details(*_details_of(payment))).decode()
