"""Every statement about refunds. A refund's facts live with its payment; here is the list."""

from __future__ import annotations

from psp_sim.domain.payment import Payment
from psp_sim.domain.refund import Refund
from psp_sim.store import payment_by_id
from sqlport import Row, Transaction


async def insert_refund(transaction: Transaction, refund_id: str, payment_id: str) -> None:
    """Put a refund on the list."""
    await transaction.execute(
        "INSERT INTO refunds (id, payment_id) VALUES (?, ?)", refund_id, payment_id
    )


async def refund_by_id(transaction: Transaction, refund_id: str) -> tuple[Payment, Refund] | None:
    """Return one refund with its payment, or None."""
    row = await transaction.fetch_one("SELECT id, payment_id FROM refunds WHERE id = ?", refund_id)
    return await _with_payment(transaction, row) if row else None


async def list_refunds(
    transaction: Transaction, after: int, limit: int, payment_id: str | None
) -> list[tuple[int, tuple[Payment, Refund]]]:
    """Return refunds and their payments with their positions, oldest first."""
    rows = await transaction.fetch_all(
        "SELECT position, id, payment_id FROM refunds WHERE position > ? "
        "AND (? IS NULL OR payment_id = ?) ORDER BY position LIMIT ?",
        after,
        payment_id,
        payment_id,
        limit,
    )
    return [(row["position"], await _with_payment(transaction, row)) for row in rows]


async def _with_payment(transaction: Transaction, row: Row) -> tuple[Payment, Refund]:
    payment = await payment_by_id(transaction, row["payment_id"])
    assert payment is not None, "a refund is stored with its payment"
    return payment, next(refund for refund in payment.refunds if refund.id == row["id"])
