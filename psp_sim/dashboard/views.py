"""What the dashboard asks of the store: newest first, filtered by a text, ready to show."""

from __future__ import annotations

import json
from typing import Any

from psp_sim.domain.delivery import OPEN_STATES
from psp_sim.domain.event import iso_timestamp
from sqlport import Row, Transaction

PAGE = 100
_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)

_PAYMENT = "id, position, reference, status, amount_minor, currency, payment_method, created_at"
_DELIVERY = (
    "SELECT d.position, d.id, d.event_id, d.endpoint_id, d.state, d.attempts, d.due_at, e.type, "
    "e.payment_id, e.sequence, e.created_at, COALESCE(p.reference, '') AS reference, "
    "COALESCE(w.url, '') AS url, a.status AS answer_status, a.error, a.started_at, a.finished_at, "
    "(SELECT MAX(f.faults) FROM attempts f WHERE f.delivery_id = d.id AND f.faults <> '[]') "
    "AS faults FROM deliveries d JOIN events e ON e.id = d.event_id "
    "LEFT JOIN payments p ON p.id = e.payment_id "
    "LEFT JOIN webhook_endpoints w ON w.id = d.endpoint_id LEFT JOIN attempts a ON a.position = "
    "(SELECT position FROM attempts WHERE delivery_id = d.id ORDER BY number DESC, "
    "CASE WHEN status BETWEEN 200 AND 299 THEN 0 ELSE 1 END, position DESC LIMIT 1)"
)


async def change_cursor(transaction: Transaction) -> str:
    """Return a short text that is another one whenever there is something new to see."""
    row = await transaction.fetch_one(
        "SELECT (SELECT MAX(position) FROM payments) AS payments, "
        "(SELECT MAX(position) FROM events) AS events, "
        "(SELECT MAX(position) FROM attempts) AS attempts, "
        "(SELECT COUNT(*) FROM deliveries WHERE due_at IS NOT NULL) AS due, "
        "(SELECT COUNT(*) FROM webhook_endpoints) AS endpoints, "
        "(SELECT COUNT(*) FROM webhook_endpoints WHERE status = 'enabled') AS enabled"
    )
    assert row is not None
    names = ("payments", "events", "attempts", "due", "endpoints", "enabled")
    return ".".join(str(row[name] or 0) for name in names)


async def counts(transaction: Transaction) -> dict[str, dict[str, int]]:
    """Return how many payments and deliveries there are in each state."""
    payments = await transaction.fetch_all(
        "SELECT status AS name, COUNT(*) AS number FROM payments GROUP BY status ORDER BY status"
    )
    deliveries = await transaction.fetch_all(
        "SELECT state AS name, COUNT(*) AS number FROM deliveries GROUP BY state ORDER BY state"
    )
    return {
        "payments": {row["name"]: row["number"] for row in payments},
        "deliveries": {row["name"]: row["number"] for row in deliveries},
    }


async def payments(transaction: Transaction, wanted: str, before: int) -> list[dict[str, Any]]:
    """Return up to a page of payments older than a position."""
    where, values = _filter(wanted, "id", "reference", "status", "payment_method")
    rows = await transaction.fetch_all(
        f"SELECT {_PAYMENT}, (SELECT COUNT(*) FROM deliveries d JOIN events e ON e.id = d.event_id "
        f"WHERE e.payment_id = payments.id AND d.state IN ({_OPEN})) AS still_open FROM payments "
        f"WHERE position < ? AND {where} ORDER BY position DESC LIMIT {PAGE}",
        before,
        *values,
    )
    return [_payment(row) for row in rows]


async def payment(transaction: Transaction, payment_id: str) -> dict[str, Any] | None:
    """Return one payment with its events and deliveries, or None."""
    row = await transaction.fetch_one(
        f"SELECT {_PAYMENT}, metadata, 0 AS still_open FROM payments WHERE id = ?", payment_id
    )
    if row is None:
        return None
    found = await transaction.fetch_all(
        "SELECT position, id, type, payment_id, sequence, created_at, body FROM events "
        "WHERE payment_id = ? ORDER BY position",
        payment_id,
    )
    sent = await transaction.fetch_all(
        f"{_DELIVERY} WHERE e.payment_id = ? ORDER BY d.position", payment_id
    )
    return {
        **_payment(row),
        "metadata": json.loads(row["metadata"]),
        "events": [_event(event) for event in found],
        "deliveries": [_delivery(delivery) for delivery in sent],
    }


async def events(transaction: Transaction, wanted: str, before: int) -> list[dict[str, Any]]:
    """Return up to a page of events older than a position."""
    where, values = _filter(wanted, "e.id", "e.type", "e.payment_id", "p.reference")
    rows = await transaction.fetch_all(
        "SELECT e.position, e.id, e.type, e.payment_id, e.sequence, e.created_at, e.body "
        "FROM events e LEFT JOIN payments p ON p.id = e.payment_id "
        f"WHERE e.position < ? AND {where} ORDER BY e.position DESC LIMIT {PAGE}",
        before,
        *values,
    )
    return [_event(row) for row in rows]


async def deliveries(transaction: Transaction, wanted: str, before: int) -> list[dict[str, Any]]:
    """Return up to a page of deliveries older than a position."""
    where, values = _filter(
        wanted, "d.id", "d.event_id", "e.type", "e.payment_id", "p.reference", "d.state", "w.url"
    )
    rows = await transaction.fetch_all(
        f"{_DELIVERY} WHERE d.position < ? AND {where} ORDER BY d.position DESC LIMIT {PAGE}",
        before,
        *values,
    )
    return [_delivery(row) for row in rows]


async def delivery(transaction: Transaction, delivery_id: str) -> dict[str, Any] | None:
    """Return one delivery with the request, the answer and the faults of every attempt."""
    row = await transaction.fetch_one(f"{_DELIVERY} WHERE d.id = ?", delivery_id)
    if row is None:
        return None
    event = await transaction.fetch_one("SELECT body FROM events WHERE id = ?", row["event_id"])
    assert event is not None, "events are never deleted"
    attempts = await transaction.fetch_all(
        "SELECT number, copy, webhook_id, started_at, finished_at, status, error, answer, faults, "
        "request_headers, request_body FROM attempts WHERE delivery_id = ? ORDER BY position",
        delivery_id,
    )
    tries = [_attempt(attempt, event["body"]) for attempt in attempts]
    return {**_delivery(row), "tries": tries}


async def endpoints(transaction: Transaction, wanted: str, before: int) -> list[dict[str, Any]]:
    """Return webhook endpoints, without their secrets, with what became of their deliveries."""
    where, values = _filter(wanted, "id", "url", "status")
    rows = await transaction.fetch_all(
        "SELECT position, id, url, status, events, created_at FROM webhook_endpoints "
        f"WHERE position < ? AND {where} ORDER BY position DESC LIMIT {PAGE}",
        before,
        *values,
    )
    return [await _endpoint(transaction, row) for row in rows]


def _filter(wanted: str, *columns: str) -> tuple[str, list[str]]:
    """Return a condition and its values: every word occurs in one of the columns."""
    conditions, values = ["1 = 1"], []
    for word in wanted.lower().split():
        escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        tests = (f"LOWER(COALESCE({column}, '')) LIKE ? ESCAPE '!'" for column in columns)
        conditions.append(f"({' OR '.join(tests)})")
        values += [f"%{escaped}%"] * len(columns)
    return " AND ".join(conditions), values


def _payment(row: Row) -> dict[str, Any]:
    return {
        "position": row["position"],
        "id": row["id"],
        "reference": row["reference"],
        "status": row["status"],
        "amount": row["amount_minor"],
        "currency": row["currency"],
        "payment_method": row["payment_method"],
        "created": iso_timestamp(row["created_at"]),
        "open_deliveries": row["still_open"],
    }


def _event(row: Row) -> dict[str, Any]:
    return {
        "position": row["position"],
        "id": row["id"],
        "type": row["type"],
        "payment": row["payment_id"],
        "sequence": row["sequence"],
        "created": iso_timestamp(row["created_at"]),
        "body": json.loads(row["body"]),
    }


def _delivery(row: Row) -> dict[str, Any]:
    return {
        "position": row["position"],
        "id": row["id"],
        "event": row["event_id"],
        "type": row["type"],
        "sequence": row["sequence"],
        "payment": row["payment_id"],
        "reference": row["reference"],
        "endpoint": row["endpoint_id"],
        "url": row["url"],
        "state": row["state"],
        "attempts": row["attempts"],
        "due": None if row["due_at"] is None else iso_timestamp(row["due_at"]),
        "created": iso_timestamp(row["created_at"]),
        "status": row["answer_status"],
        "error": row["error"],
        "duration_ms": _duration_ms(row),
        "faults": json.loads(row["faults"] or "[]"),
    }


def _attempt(row: Row, event_body: str) -> dict[str, Any]:
    return {
        "number": row["number"],
        "copy": row["copy"],
        "webhook_id": row["webhook_id"],
        "started": iso_timestamp(row["started_at"]),
        "duration_ms": _duration_ms(row),
        "status": row["status"],
        "error": row["error"],
        "answer": row["answer"],
        "faults": json.loads(row["faults"]),
        "request_headers": json.loads(row["request_headers"]),
        "request_body": row["request_body"] or event_body,
        "is_body_altered": row["request_body"] is not None,
    }


async def _endpoint(transaction: Transaction, row: Row) -> dict[str, Any]:
    states = await transaction.fetch_all(
        "SELECT state, COUNT(*) AS number FROM deliveries WHERE endpoint_id = ? "
        "GROUP BY state ORDER BY state",
        row["id"],
    )
    return {
        "position": row["position"],
        "id": row["id"],
        "url": row["url"],
        "status": row["status"],
        "events": json.loads(row["events"]),
        "created": iso_timestamp(row["created_at"]),
        "deliveries": {state["state"]: state["number"] for state in states},
    }


def _duration_ms(row: Row) -> float | None:
    if row["started_at"] is None:
        return None
    return float(round((row["finished_at"] - row["started_at"]) * 1000, 1))
