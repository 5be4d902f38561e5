"""How many rows there are of each kind, at a cost that does not grow with those that are settled.

To count a million rows kind by kind takes a seventh of a second, in which nothing else is done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from psp_sim.store import await_writers
from sqlport import Transaction


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows of a table there are up to a position."""

    position: int = 0
    number: int = 0


async def rows_in(transaction: Transaction, table: str, known: RowCount) -> RowCount:
    """Count the rows of a table from which none is ever taken away, on from what is known."""
    if transaction.is_shared:
        # There a row can be committed after one that has a higher position.
        known = RowCount()
    row = await transaction.fetch_one(
        f"SELECT MAX(position) AS position, COUNT(*) AS number FROM {table} WHERE position > ?",
        known.position,
    )
    assert row is not None, "an aggregate always has a row"
    return RowCount(row["position"] or known.position, known.number + row["number"])


async def count_by(
    transaction: Transaction, table: str, column: str, usual: str, total: int
) -> dict[str, int]:
    """Return how many of a table's ``total`` rows there are by the value of an indexed column.

    ``usual`` is the value that most rows come to have: of those there are as many as are left.
    """
    counts: dict[str, int] = {}
    for side in ("<", ">"):
        rows = await transaction.fetch_all(
            f"SELECT {column} AS name, COUNT(*) AS number FROM {table} WHERE {column} {side} ? "
            f"GROUP BY {column}",
            usual,
        )
        counts |= {row["name"]: row["number"] for row in rows}
    left = total - sum(counts.values())
    return counts | ({usual: left} if left else {})


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How many events of each type there are up to a position in the log."""

    position: int = 0
    by_type: Counter[str] = field(default_factory=Counter)


async def events_by_type(transaction: Transaction, known: EventCounts) -> EventCounts:
    """Count the events that have come since; none is ever changed or taken away."""
    await await_writers(transaction)
    last = await transaction.fetch_one("SELECT MAX(position) AS position FROM events")
    # The first time over the index of types, which is a small part of the table. Later not over it,
    # and so the type is written as no index has it: all of the index would be read for a few rows.
    rest = "WHERE position > ? GROUP BY type || ''" if known.position else "GROUP BY type"
    rows = await transaction.fetch_all(
        f"SELECT MIN(type) AS type, COUNT(*) AS number FROM events {rest}",
        *([known.position] if known.position else []),
    )
    fresh = Counter({row["type"]: row["number"] for row in rows})
    position = (last["position"] if last else None) or 0
    return EventCounts(position, known.by_type + fresh)
