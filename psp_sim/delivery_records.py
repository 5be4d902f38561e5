"""Deliveries and their attempts as they are shown to people and programs."""

from __future__ import annotations

from typing import Any

import msgspec

from psp_sim.domain.delivery import DeliveryState
from psp_sim.domain.event import iso_timestamp
from sqlport import Row, Transaction

_SHOWN = (
    "SELECT d.position, d.id, d.event_id, d.endpoint_id, d.state, d.attempts, d.due_at, "
    "e.type, e.payment_id, e.sequence FROM deliveries d JOIN events e ON e.id = d.event_id"
)


async def delivery_by_id(transaction: Transaction, delivery_id: str) -> dict[str, Any] | None:
    """Return one delivery with its attempts, ready to show, or None."""
    row = await transaction.fetch_one(f"{_SHOWN} WHERE d.id = ?", delivery_id)
    return await _render_delivery(transaction, row) if row else None


async def list_deliveries(
    transaction: Transaction, endpoint_id: str, after: int, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """Return an endpoint's deliveries with their attempts, oldest first, ready to show."""
    rows = await transaction.fetch_all(
        f"{_SHOWN} WHERE d.endpoint_id = ? AND d.position > ? ORDER BY d.position LIMIT ?",
        endpoint_id,
        after,
        limit,
    )
    return [(row["position"], await _render_delivery(transaction, row)) for row in rows]


async def _render_delivery(transaction: Transaction, row: Row) -> dict[str, Any]:
    attempts = await transaction.fetch_all(
        "SELECT number, copy, webhook_id, webhook_timestamp, started_at, finished_at, status, "
        "error, answer, faults FROM attempts WHERE delivery_id = ? ORDER BY position",
        row["id"],
    )
    # What is being sent is due when the lease ends, which is nobody's plan.
    is_waiting = row["due_at"] is not None and row["state"] != DeliveryState.SENDING
    return {
        "id": row["id"],
        "object": "delivery",
        "event": row["event_id"],
        "type": row["type"],
        "payment": row["payment_id"] or None,
        "sequence": row["sequence"],
        "endpoint": row["endpoint_id"],
        "state": row["state"],
        "next_attempt_at": iso_timestamp(row["due_at"]) if is_waiting else None,
        "attempts": [_render_attempt(attempt) for attempt in attempts],
    }


def _render_attempt(row: Row) -> dict[str, Any]:
    return {
        "number": row["number"],
        "copy": row["copy"],
        "webhook_id": row["webhook_id"],
        "webhook_timestamp": row["webhook_timestamp"],
        "started": iso_timestamp(row["started_at"]),
        "duration_ms": round((row["finished_at"] - row["started_at"]) * 1000, 3),
        "status": row["status"],
        "error": row["error"],
        "answer": row["answer"],
        "faults": msgspec.json.decode(row["faults"]),
    }
