"""How far the provider's events were read, and the events that were set aside."""

from __future__ import annotations

from shop import store
from shop.domain.inbox import DeadLetter
from sqlport import Row, Transaction

# One cursor for log and stream: both tell the same events in the same order.
_NAME = "events"


async def load_cursor(transaction: Transaction) -> str | None:
    """The id of the last event that was taken in from log or stream, or None."""
    row = await transaction.fetch_one("SELECT event_id FROM event_cursors WHERE name = ?", _NAME)
    return None if row is None else row["event_id"]


async def save_cursor(transaction: Transaction, event_id: str) -> None:
    """Note the last event that was taken in."""
    await transaction.execute(
        "INSERT INTO event_cursors (name, event_id) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET event_id = excluded.event_id",
        _NAME,
        event_id,
    )


async def set_aside(transaction: Transaction, event_id: str, attempts: int, reason: str) -> bool:
    """Take a pending event out of the queue after its last attempt; False if it was not in it."""
    changed = await transaction.execute(
        "UPDATE inbox SET status = ?, attempts = ?, reason = ? "
        "WHERE event_id = ? AND status = 'pending'",
        store.DEAD,
        attempts,
        reason,
        event_id,
    )
    return changed == 1


async def list_dead_letters(
    transaction: Transaction, after: str | None = None, limit: int = 1000
) -> list[DeadLetter]:
    """Events that were set aside, oldest first, from the one after the event ``after``."""
    rows = await transaction.fetch_all(
        "SELECT * FROM inbox WHERE status = ? AND (received_at, event_id) > "
        "(COALESCE((SELECT received_at FROM inbox WHERE event_id = ?), -1), ?) "
        "ORDER BY received_at, event_id LIMIT ?",
        store.DEAD,
        after,
        after or "",
        limit,
    )
    return [_dead_letter_in(row) for row in rows]


async def count_dead_letters(transaction: Transaction) -> int:
    """How many events are set aside."""
    row = await transaction.fetch_one(
        "SELECT COUNT(*) AS count FROM inbox WHERE status = ?", store.DEAD
    )
    return 0 if row is None else int(row["count"])


async def count_waiting(transaction: Transaction) -> int:
    """How many events were taken and are not processed yet."""
    # As a word of the statement, so that the index of those that wait serves it.
    row = await transaction.fetch_one(
        "SELECT COUNT(*) AS count FROM inbox WHERE status = 'pending'"
    )
    return 0 if row is None else int(row["count"])


async def retry_dead_letters(transaction: Transaction, event_id: str | None, now: float) -> int:
    """Put one event, or all (None), back into the queue as if it had just come; how many."""
    chosen, values = ("", ()) if event_id is None else (" AND event_id = ?", (event_id,))
    return await transaction.execute(
        f"UPDATE inbox SET status = ?, attempts = 0, due_at = ?, reason = NULL "
        f"WHERE status = ?{chosen}",
        store.PENDING,
        now,
        store.DEAD,
        *values,
    )


def _dead_letter_in(row: Row) -> DeadLetter:
    return DeadLetter(
        event_id=row["event_id"],
        reason=row["reason"] or "",
        attempts=row["attempts"],
        source=row["source"],
        received_at=row["received_at"],
        body=row["body"],
    )
