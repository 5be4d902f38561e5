"""The shop's rows: every statement that touches orders, ledger, inbox and fulfilments is here.

Each function runs inside the caller's transaction, so the caller says what belongs together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shop.domain.catalogue import Item
from shop.domain.errors import ChangedMeanwhile
from shop.domain.fulfilment import Fulfilment
from shop.domain.holdings_text import holdings_from, text_of
from shop.domain.ledger import Entry
from shop.domain.order import Decision, Order, OrderStatus
from sqlport import FOR_UPDATE, Row, Transaction

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    email TEXT NOT NULL,
    items TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    payment_id TEXT,
    failure TEXT,
    holdings TEXT NOT NULL DEFAULT '',
    is_open BIGINT NOT NULL DEFAULT 1,
    checks BIGINT NOT NULL DEFAULT 0,
    check_due_at DOUBLE PRECISION
);
CREATE INDEX IF NOT EXISTS orders_by_age ON orders (created_at, id);
CREATE INDEX IF NOT EXISTS orders_to_check ON orders (check_due_at, created_at) WHERE is_open = 1;
CREATE TABLE IF NOT EXISTS order_history (
    order_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    source TEXT NOT NULL,
    what TEXT NOT NULL,
    status TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (order_id, number)
);
CREATE TABLE IF NOT EXISTS payment_requests (
    order_id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at DOUBLE PRECISION
);
CREATE INDEX IF NOT EXISTS payment_requests_due ON payment_requests (due_at)
    WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS inbox (
    event_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    received_at DOUBLE PRECISION NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at DOUBLE PRECISION NOT NULL,
    reason TEXT,
    source TEXT NOT NULL DEFAULT 'webhook'
);
CREATE INDEX IF NOT EXISTS inbox_dead ON inbox (received_at, event_id) WHERE status = 'dead';
CREATE INDEX IF NOT EXISTS inbox_due ON inbox (due_at) WHERE status = 'pending';
CREATE TABLE IF NOT EXISTS ledger_lines (
    entry_id TEXT NOT NULL,
    account TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    booked_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (entry_id, account)
);
CREATE TABLE IF NOT EXISTS fulfilments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    items TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at DOUBLE PRECISION
);
CREATE INDEX IF NOT EXISTS fulfilments_of_order ON fulfilments (order_id);
CREATE INDEX IF NOT EXISTS fulfilments_due ON fulfilments (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    reason TEXT,
    status TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    refund_id TEXT,
    failure TEXT,
    request_key TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at DOUBLE PRECISION,
    UNIQUE (order_id, request_key)
);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS event_cursors (
    name TEXT PRIMARY KEY,
    event_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS webhook_endpoints (
    url TEXT PRIMARY KEY,
    creation_key TEXT NOT NULL,
    endpoint_id TEXT,
    secret TEXT,
    previous_secret TEXT,
    previous_ends_at DOUBLE PRECISION,
    rotation_key TEXT,
    rotation_overlap_s DOUBLE PRECISION,
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at DOUBLE PRECISION
);
CREATE TABLE IF NOT EXISTS older_secrets (
    endpoint_id TEXT PRIMARY KEY,
    secrets TEXT NOT NULL
)
"""

PENDING, DONE, DEAD = "pending", "done", "dead"
QUEUED, DELIVERED, WITHDRAWN = "queued", "delivered", "withdrawn"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an order's history: when, from where we know, and what (Unix seconds)."""

    at: float
    source: str
    what: str
    status: str = ""


async def insert_order(transaction: Transaction, order: Order, idempotency_key: str) -> None:
    """Store a new order together with the request for its payment, due at once."""
    await transaction.execute(
        "INSERT INTO orders (id, status, amount_minor, currency, email, items, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        order.id,
        order.status.value,
        order.amount_minor,
        order.currency,
        order.email,
        _items_text(order.items),
        order.created_at,
    )
    await transaction.execute(
        "INSERT INTO payment_requests (order_id, idempotency_key, due_at) VALUES (?, ?, ?)",
        order.id,
        idempotency_key,
        order.created_at,
    )


async def load_order(transaction: Transaction, order_id: str) -> Order | None:
    """The order, or None."""
    row = await transaction.fetch_one("SELECT * FROM orders WHERE id = ?", order_id)
    return None if row is None else order_in(row)


async def lock_order(transaction: Transaction, order_id: str) -> Order | None:
    """The order, or None; nobody else can change it before the transaction ends."""
    row = await transaction.fetch_one(f"SELECT * FROM orders WHERE id = ? {FOR_UPDATE}", order_id)
    return None if row is None else order_in(row)


async def list_orders(transaction: Transaction, after: str | None, limit: int) -> list[Order]:
    """Orders by age, oldest first, from the one after the order ``after``."""
    if after is None:
        rows = await transaction.fetch_all(
            "SELECT * FROM orders ORDER BY created_at, id LIMIT ?", limit
        )
    else:
        rows = await transaction.fetch_all(
            "SELECT * FROM orders WHERE (created_at, id) > "
            "(SELECT created_at, id FROM orders WHERE id = ?) ORDER BY created_at, id LIMIT ?",
            after,
            limit,
        )
    return [order_in(row) for row in rows]


async def save_order(transaction: Transaction, known: Order, order: Order) -> None:
    """Replace ``known`` by ``order``. Raises ChangedMeanwhile if ``known`` is no longer stored."""
    if order == known:
        return
    awaited = order.status is OrderStatus.PENDING or order.holdings.awaits_refund
    changed = await transaction.execute(
        "UPDATE orders SET status = ?, payment_id = ?, failure = ?, holdings = ?, is_open = ? "
        "WHERE id = ? AND status = ? AND holdings = ?",
        order.status.value,
        order.payment_id,
        order.failure,
        text_of(order.holdings),
        int(awaited),
        order.id,
        known.status.value,
        text_of(known.holdings),
    )
    if changed != 1:
        raise ChangedMeanwhile(f"order {order.id} is no longer {known.status}")


async def save_decision(
    transaction: Transaction, known: Order, decision: Decision, step: Step
) -> None:
    """Write the order, its ledger entry and its fulfilment: all of what was decided, once."""
    await save_order(transaction, known, decision.order)
    if decision.order != known:
        await insert_step(transaction, decision.order, step)
    if decision.entry is not None:
        await insert_entry(transaction, decision.entry, step.at)
    if decision.fulfilment is not None:
        await insert_fulfilment(transaction, decision.fulfilment, step.at)


async def insert_step(transaction: Transaction, order: Order, step: Step) -> None:
    """Add to the order's history what moved it to where it is now."""
    await transaction.execute(
        "INSERT INTO order_history (order_id, number, at, source, what, status, sequence) "
        "SELECT ?, COUNT(*) + 1, ?, ?, ?, ?, ? FROM order_history WHERE order_id = ?",
        order.id,
        step.at,
        step.source,
        step.what,
        order.public_status,
        order.holdings.sequence,
        order.id,
    )


async def history_of(transaction: Transaction, order_ids: Sequence[str]) -> dict[str, list[Step]]:
    """What moved each order, oldest first."""
    marks = ", ".join("?" for _ in order_ids)
    rows = await transaction.fetch_all(
        f"SELECT * FROM order_history WHERE order_id IN ({marks}) ORDER BY order_id, number",
        *order_ids,
    )
    found: dict[str, list[Step]] = {}
    for row in rows:
        step = Step(row["at"], row["source"], row["what"], row["status"])
        found.setdefault(row["order_id"], []).append(step)
    return found


async def known_since(transaction: Transaction, order_id: str, sequence: int) -> float | None:
    """When the order first showed this view of its payment, or a newer one (Unix seconds)."""
    row = await transaction.fetch_one(
        "SELECT MIN(at) AS at FROM order_history WHERE order_id = ? AND sequence >= ?",
        order_id,
        sequence,
    )
    return None if row is None else row["at"]


async def insert_entry(transaction: Transaction, entry: Entry, now: float) -> None:
    """Book an entry; an entry with the same id is the same entry."""
    for line in entry.lines:
        await transaction.execute(
            "INSERT INTO ledger_lines "
            "(entry_id, account, payment_id, currency, amount_minor, booked_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            entry.id,
            line.account,
            entry.payment_id,
            entry.currency,
            line.amount_minor,
            now,
        )


async def ledger_balances(transaction: Transaction) -> tuple[dict[str, dict[str, int]], int]:
    """(minor units by account and currency, number of entries)."""
    rows = await transaction.fetch_all(
        "SELECT account, currency, SUM(amount_minor) AS balance FROM ledger_lines "
        "GROUP BY account, currency ORDER BY account, currency"
    )
    balances: dict[str, dict[str, int]] = {}
    for row in rows:
        balances.setdefault(row["account"], {})[row["currency"]] = int(row["balance"])
    count = await transaction.fetch_one(
        "SELECT COUNT(DISTINCT entry_id) AS entries FROM ledger_lines"
    )
    return balances, 0 if count is None else int(count["entries"])


async def insert_fulfilment(
    transaction: Transaction, fulfilment: Fulfilment, now: float, status: str = QUEUED
) -> None:
    """Put a fulfilment into the outbox; one with the same id is the same fulfilment."""
    await transaction.execute(
        "INSERT INTO fulfilments (id, order_id, items, status, due_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        fulfilment.id,
        fulfilment.order_id,
        _items_text(fulfilment.items),
        status,
        now if status == QUEUED else None,
    )


async def fulfilments_of(
    transaction: Transaction, order_ids: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    """(id, status) of the fulfilments of each order that has any."""
    if not order_ids:
        return {}
    marks = ", ".join("?" for _ in order_ids)
    rows = await transaction.fetch_all(
        f"SELECT id, order_id, status FROM fulfilments WHERE order_id IN ({marks}) ORDER BY id",
        *order_ids,
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append((row["id"], row["status"]))
    return found


async def mark_delivered(transaction: Transaction, fulfilment_id: str) -> None:
    """The warehouse has taken the fulfilment on."""
    await transaction.execute(
        "UPDATE fulfilments SET status = ?, due_at = NULL WHERE id = ?", DELIVERED, fulfilment_id
    )


async def insert_event(
    transaction: Transaction, event_id: str, body: str, now: float, source: str = "webhook"
) -> bool:
    """Put an event into the inbox; one with the same id is the same event, and False."""
    inserted = await transaction.execute(
        "INSERT INTO inbox (event_id, body, received_at, due_at, source) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        event_id,
        body,
        now,
        now,
        source,
    )
    return inserted == 1


async def close_event(
    transaction: Transaction, event_id: str, status: str, reason: str | None = None
) -> bool:
    """Take a pending event out of the queue; False if it was no longer in it."""
    changed = await transaction.execute(
        "UPDATE inbox SET status = ?, reason = ? WHERE event_id = ? AND status = 'pending'",
        status,
        reason,
        event_id,
    )
    return changed == 1


async def postpone_event(
    transaction: Transaction, event_id: str, attempts: int, due_at: float, reason: str
) -> bool:
    """Leave a pending event for later; False if it was no longer in the queue."""
    changed = await transaction.execute(
        "UPDATE inbox SET attempts = ?, due_at = ?, reason = ? "
        "WHERE event_id = ? AND status = 'pending'",
        attempts,
        due_at,
        reason,
        event_id,
    )
    return changed == 1


def order_in(row: Row) -> Order:
    """The order in a row of ``orders``."""
    return Order(
        id=row["id"],
        status=OrderStatus(row["status"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        email=row["email"],
        items=items_in(row["items"]),
        created_at=row["created_at"],
        payment_id=row["payment_id"],
        failure=row["failure"],
        holdings=holdings_from(row["holdings"]),
    )


def items_in(text: str) -> tuple[Item, ...]:
    """The items in a text column."""
    return tuple(Item(sku, quantity) for sku, quantity in json.loads(text))


def _items_text(items: Sequence[Item]) -> str:
    return json.dumps([[item.sku, item.quantity] for item in items])
