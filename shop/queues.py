"""What is due: each function takes the due rows of one table and says when the next one will be.

Rows whose handling talks to others are taken with a lease: in the same transaction their next
time is moved to where the attempt must be over. So a crash loses nothing and needs no cleaning up.
Where several shops share a database, each takes rows that no other is taking at the moment, and
looks again every ``look_s``: nobody wakes it for what another process has stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shop.domain.fulfilment import Fulfilment
from shop.domain.inbox import InboxRow
from shop.domain.order import Order
from shop.store import QUEUED, WITHDRAWN, items_in, order_in
from sqlport import SHARED, SKIP_LOCKED, Row, Transaction

T = TypeVar("T")

# Longer than a batch of events takes. One that takes longer is only worked on twice: whoever ends
# second finds the event closed, and leaves no effects.
_INBOX_LEASE_S = 5.0
# Rows that are due and yet were not taken are being taken by another process at this moment.
_OTHERS_TAKE_S = 0.01
# More than what a sum of two times can be off; the exact comparison follows.
_ROUNDING_S = 1.0


@dataclass(frozen=True, slots=True)
class Due(Generic[T]):
    """Work to do now, and when to look again (Unix seconds; None: when woken)."""

    items: list[T]
    next_at: float | None


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """An order whose payment has to be requested, the stored key, and which attempt this is."""

    order: Order
    idempotency_key: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A fulfilment that the warehouse has to be asked for, and which attempt this is."""

    fulfilment: Fulfilment
    attempt: int


async def take_payment_requests(
    transaction: Transaction, now: float, limit: int, *, lease_s: float, look_s: float
) -> Due[PaymentRequest]:
    """Payment requests without a final answer."""
    rows = await transaction.fetch_all(
        "SELECT orders.*, payment_requests.idempotency_key, payment_requests.attempts "
        "FROM payment_requests JOIN orders ON orders.id = payment_requests.order_id "
        "WHERE due_at <= ? ORDER BY due_at, order_id LIMIT ? "
        "/*postgresql: FOR UPDATE OF payment_requests SKIP LOCKED */",
        now,
        limit,
    )
    taken = []
    for row in rows:
        won = await transaction.execute(
            "UPDATE payment_requests SET attempts = attempts + 1, due_at = ? "
            "WHERE order_id = ? AND attempts = ?",
            now + lease_s,
            row["id"],
            row["attempts"],
        )
        if won:
            taken.append(PaymentRequest(order_in(row), row["idempotency_key"], row["attempts"] + 1))
    return Due(taken, await next_at(transaction, "payment_requests", now, look_s))


async def postpone_payment_request(
    transaction: Transaction, order_id: str, due_at: float | None
) -> None:
    """Try again at ``due_at``, or never again once there is a final answer (None)."""
    await transaction.execute(
        "UPDATE payment_requests SET due_at = ? WHERE order_id = ? AND due_at IS NOT NULL",
        due_at,
        order_id,
    )


async def take_shipments(
    transaction: Transaction, now: float, limit: int, *, lease_s: float, look_s: float
) -> Due[Shipment]:
    """Fulfilments that the warehouse has not taken on yet."""
    rows = await transaction.fetch_all(
        f"SELECT * FROM fulfilments WHERE due_at <= ? ORDER BY due_at, id LIMIT ? {SKIP_LOCKED}",
        now,
        limit,
    )
    taken = []
    for row in rows:
        won = await transaction.execute(
            "UPDATE fulfilments SET attempts = attempts + 1, due_at = ? "
            "WHERE id = ? AND attempts = ? AND due_at IS NOT NULL",
            now + lease_s,
            row["id"],
            row["attempts"],
        )
        if won:
            fulfilment = Fulfilment(row["id"], row["order_id"], items_in(row["items"]))
            taken.append(Shipment(fulfilment, row["attempts"] + 1))
    return Due(taken, await next_at(transaction, "fulfilments", now, look_s))


async def postpone_shipment(transaction: Transaction, fulfilment_id: str, due_at: float) -> None:
    """Ask the warehouse again at ``due_at``."""
    await transaction.execute(
        "UPDATE fulfilments SET due_at = ? WHERE id = ? AND due_at IS NOT NULL",
        due_at,
        fulfilment_id,
    )


async def withdraw_shipments(transaction: Transaction, order_id: str) -> None:
    """Ask the warehouse no more for an order's goods. What it has taken on stays as it is."""
    await transaction.execute(
        "UPDATE fulfilments SET status = ?, due_at = NULL WHERE order_id = ? AND status = ?",
        WITHDRAWN,
        order_id,
        QUEUED,
    )


async def take_events(
    transaction: Transaction, now: float, limit: int, *, look_s: float
) -> Due[InboxRow]:
    """Pending events in the order of their arrival.

    They are processed right here, in transactions alone, so a lease is only needed where another
    process could take them too.
    """
    rows = await transaction.fetch_all(
        f"SELECT event_id, body, attempts, source, {SHARED} AS shared FROM inbox "
        f"WHERE status = 'pending' AND due_at <= ? ORDER BY due_at, event_id LIMIT ? {SKIP_LOCKED}",
        now,
        limit,
    )
    if rows and rows[0]["shared"]:
        marks = ", ".join("?" for _ in rows)
        await transaction.execute(
            f"UPDATE inbox SET due_at = ? WHERE event_id IN ({marks})",
            now + _INBOX_LEASE_S,
            *(row["event_id"] for row in rows),
        )
    events = [
        InboxRow(row["event_id"], row["body"], row["attempts"], row["source"]) for row in rows
    ]
    return Due(events, await next_at(transaction, "inbox", now, look_s, "status = 'pending'"))


async def bring_event_forward(transaction: Transaction, event_id: str, now: float) -> None:
    """Have an event that was told again worked on now if only a wrong clock has put it off.

    One that has failed waits for its next try, and one that is being worked on is left alone.
    """
    await transaction.execute(
        "UPDATE inbox SET due_at = ? "
        "WHERE event_id = ? AND status = 'pending' AND attempts = 0 AND due_at > ?",
        now,
        event_id,
        now + _INBOX_LEASE_S,
    )


async def take_orders_to_check(
    transaction: Transaction,
    now: float,
    limit: int,
    *,
    first_after_s: float,
    delay_after_check: Callable[[int], float],
    look_s: float,
) -> Due[Order]:
    """Open orders that the provider has to be asked about, each with its own growing delay.

    Open is an order that is pending, or has a refund on its way.

    Args:
        first_after_s: age of an order at its first check
        delay_after_check: seconds until the next check, by the number of checks so far
    """
    # Two ranges of one index, so that a thousand orders that wait do not slow down each look.
    rows = await transaction.fetch_all(
        "SELECT * FROM orders WHERE (is_open = 1 AND check_due_at <= ?) "
        "OR (is_open = 1 AND check_due_at IS NULL AND created_at <= ? AND created_at + ? <= ?) "
        f"ORDER BY COALESCE(check_due_at, created_at), id LIMIT ? {SKIP_LOCKED}",
        now,
        now - first_after_s + _ROUNDING_S,
        first_after_s,
        now,
        limit,
    )
    taken = []
    for row in rows:
        checks = row["checks"] + 1
        won = await transaction.execute(
            "UPDATE orders SET checks = ?, check_due_at = ? WHERE id = ? AND checks = ?",
            checks,
            now + delay_after_check(checks),
            row["id"],
            row["checks"],
        )
        if won:
            taken.append(order_in(row))
    found = await transaction.fetch_one(
        f"SELECT MIN(due) AS due, {SHARED} AS shared FROM ("
        "SELECT MIN(check_due_at) AS due FROM orders WHERE is_open = 1 UNION ALL "
        "SELECT MIN(created_at) + ? FROM orders WHERE is_open = 1 AND check_due_at IS NULL"
        ") AS first_ones",
        first_after_s,
    )
    return Due(taken, time_to_look(found, now, look_s))


async def check_again(transaction: Transaction, order_id: str, due_at: float) -> None:
    """Have an open order asked about at this time (Unix seconds), as if for the first time."""
    await transaction.execute(
        "UPDATE orders SET check_due_at = ? WHERE id = ? AND is_open = 1", due_at, order_id
    )


async def next_at(
    transaction: Transaction,
    table: str,
    now: float,
    look_s: float,
    waiting: str = "due_at IS NOT NULL",
) -> float | None:
    """When to look at a table with a ``due_at`` again."""
    row = await transaction.fetch_one(
        f"SELECT MIN(due_at) AS due, {SHARED} AS shared FROM {table} WHERE {waiting}"
    )
    return time_to_look(row, now, look_s)


def time_to_look(row: Row | None, now: float, look_s: float) -> float | None:
    """When the next row is due; earlier where another process may have stored an earlier one."""
    assert row is not None, "an aggregate always has a row"
    due_at: float | None = row["due"]
    if not row["shared"]:
        return due_at
    latest = now + look_s
    return latest if due_at is None else min(max(due_at, now + _OTHERS_TAKE_S), latest)
