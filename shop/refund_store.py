"""Refunds that the shop wants, as stored: each with the key that it is asked for with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shop.domain.order import Order
from shop.domain.refund import RefundStatus, WantedRefund
from shop.queues import Due, next_at
from shop.store import order_in
from sqlport import SKIP_LOCKED, Row, Transaction


@dataclass(frozen=True, slots=True)
class RefundTry:
    """A wanted refund, its order, and which attempt this is."""

    wanted: WantedRefund
    order: Order
    attempt: int


async def insert_refund(
    transaction: Transaction, wanted: WantedRefund, request_key: str | None
) -> None:
    """Store a wanted refund, due at once."""
    await transaction.execute(
        "INSERT INTO refunds (id, order_id, idempotency_key, amount_minor, reason, status, "
        "created_at, request_key, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        wanted.id,
        wanted.order_id,
        wanted.idempotency_key,
        wanted.amount_minor,
        wanted.reason,
        wanted.status.value,
        wanted.created_at,
        request_key,
        wanted.created_at,
    )


async def find_refund(
    transaction: Transaction, order_id: str, request_key: str
) -> WantedRefund | None:
    """The refund that was wanted under this key of the caller's, or None."""
    row = await transaction.fetch_one(
        "SELECT * FROM refunds WHERE order_id = ? AND request_key = ?", order_id, request_key
    )
    return None if row is None else _refund_in(row)


async def refunds_of(
    transaction: Transaction, order_ids: Sequence[str]
) -> dict[str, list[WantedRefund]]:
    """The wanted refunds of each order that has any, oldest first."""
    marks = ", ".join("?" for _ in order_ids)
    rows = await transaction.fetch_all(
        f"SELECT * FROM refunds WHERE order_id IN ({marks}) ORDER BY created_at, id", *order_ids
    )
    found: dict[str, list[WantedRefund]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append(_refund_in(row))
    return found


async def take_refunds(
    transaction: Transaction, now: float, limit: int, *, lease_s: float, look_s: float
) -> Due[RefundTry]:
    """Wanted refunds without a final answer."""
    rows = await transaction.fetch_all(
        f"SELECT * FROM refunds WHERE due_at <= ? ORDER BY due_at, id LIMIT ? {SKIP_LOCKED}",
        now,
        limit,
    )
    taken = []
    for row in rows:
        await transaction.execute(
            "UPDATE refunds SET attempts = attempts + 1, due_at = ? WHERE id = ?",
            now + lease_s,
            row["id"],
        )
        order = await transaction.fetch_one("SELECT * FROM orders WHERE id = ?", row["order_id"])
        assert order is not None, "a refund belongs to an order"
        taken.append(RefundTry(_refund_in(row), order_in(order), row["attempts"] + 1))
    return Due(taken, await next_at(transaction, "refunds", now, look_s))


async def postpone_refund(transaction: Transaction, refund_id: str, due_at: float) -> None:
    """Ask the provider again at this time (Unix seconds)."""
    await transaction.execute(
        "UPDATE refunds SET due_at = ? WHERE id = ? AND due_at IS NOT NULL", due_at, refund_id
    )


async def wish_with(transaction: Transaction, provider_id: str) -> str | None:
    """The id of the wanted refund that the provider has made as this one, or None."""
    row = await transaction.fetch_one("SELECT id FROM refunds WHERE refund_id = ?", provider_id)
    return None if row is None else row["id"]


async def save_accepted(transaction: Transaction, wanted: WantedRefund, provider_id: str) -> None:
    """The provider has made the refund; what was noted before stays."""
    await transaction.execute(
        "UPDATE refunds SET status = ?, refund_id = ?, failure = NULL, due_at = NULL "
        "WHERE id = ? AND refund_id IS NULL",
        RefundStatus.PENDING.value,
        provider_id,
        wanted.id,
    )


async def await_outcome(transaction: Transaction, order_id: str) -> None:
    """The order is open until the outcome of its refund is known."""
    await transaction.execute(
        "UPDATE orders SET is_open = 1, checks = 0, check_due_at = NULL WHERE id = ?", order_id
    )


async def save_refused(transaction: Transaction, wanted: WantedRefund, failure: str) -> None:
    """The provider surely did not make the refund; one that is noted as made stays."""
    await transaction.execute(
        "UPDATE refunds SET status = ?, failure = ?, due_at = NULL "
        "WHERE id = ? AND refund_id IS NULL",
        RefundStatus.FAILED.value,
        failure,
        wanted.id,
    )


def _refund_in(row: Row) -> WantedRefund:
    return WantedRefund(
        id=row["id"],
        order_id=row["order_id"],
        idempotency_key=row["idempotency_key"],
        amount_minor=row["amount_minor"],
        reason=row["reason"],
        status=RefundStatus(row["status"]),
        created_at=row["created_at"],
        refund_id=row["refund_id"],
        failure=row["failure"],
    )
