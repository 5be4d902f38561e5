"""Statements about where in the log of events something stands."""

from __future__ import annotations

from psp_sim.store import await_writers
from sqlport import Transaction


async def event_position(transaction: Transaction, event_id: str) -> int | None:
    """Return the position of an event in the log, or None."""
    row = await transaction.fetch_one("SELECT position FROM events WHERE id = ?", event_id)
    return row["position"] if row else None


async def last_event_position(transaction: Transaction) -> int:
    """Return the position of the latest event, 0 before the first."""
    row = await transaction.fetch_one("SELECT MAX(position) AS position FROM events")
    return (row["position"] or 0) if row else 0


async def events_after(
    transaction: Transaction, position: int, limit: int
) -> list[tuple[int, str, str, str]]:
    """Return position, id, type and body of the events that follow, oldest first."""
    await await_writers(transaction)
    rows = await transaction.fetch_all(
        "SELECT position, id, type, body FROM events WHERE position > ? ORDER BY position LIMIT ?",
        position,
        limit,
    )
    return [(row["position"], row["id"], row["type"], row["body"]) for row in rows]
