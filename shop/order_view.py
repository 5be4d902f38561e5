"""Orders come in; what is told about them over HTTP goes out: status, money, refunds, history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shop import refund_store, store
from shop.domain.order import Order, OrderStatus
from shop.domain.payment import Refund
from shop.domain.refund import WantedRefund, refundable_minor
from shop.store import Step
from sqlport import Transaction


async def views_of(transaction: Transaction, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Each order as JSON, in the same order."""
    if not orders:
        return []
    ids = [order.id for order in orders]
    fulfilments = await store.fulfilments_of(transaction, ids)
    wanted = await refund_store.refunds_of(transaction, ids)
    history = await store.history_of(transaction, ids)
    return [
        _view(
            order,
            fulfilments.get(order.id, []),
            wanted.get(order.id, []),
            history.get(order.id, []),
        )
        for order in orders
    ]


def refund_view(wanted: WantedRefund, known: Refund | None = None) -> dict[str, Any]:
    """A refund that we asked for, as the provider told of it last."""
    return {
        "id": wanted.id,
        "refund_id": wanted.refund_id,
        "amount": wanted.amount_minor,
        "status": wanted.status.value if known is None else known.status,
        "reason": wanted.reason,
        "failure": wanted.failure if known is None else known.failure,
        "created": moment(wanted.created_at),
    }


def moment(unix_s: float) -> str:
    """A time as JSON has it: ISO 8601, UTC."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _view(
    order: Order,
    fulfilments: Sequence[tuple[str, str]],
    wanted: Sequence[WantedRefund],
    history: Sequence[Step],
) -> dict[str, Any]:
    placed = Step(order.created_at, "customer", "order placed", OrderStatus.PENDING.value)
    return {
        "id": order.id,
        "status": order.public_status,
        "amount": order.amount_minor,
        "amount_refunded": order.holdings.refunded_minor,
        "amount_refundable": refundable_minor(order, wanted),
        "currency": order.currency,
        "email": order.email,
        "items": [{"sku": item.sku, "quantity": item.quantity} for item in order.items],
        "payment_id": order.payment_id,
        "failure": order.failure,
        "fulfilments": [{"id": one, "status": status} for one, status in fulfilments],
        "refunds": _refunds(order, wanted),
        "disputes": [
            {"id": one.id, "amount": one.amount_minor, "status": one.status, "reason": one.reason}
            for one in order.holdings.disputes
        ],
        "history": [
            {
                "time": moment(step.at),
                "source": step.source,
                "what": step.what,
                "status": step.status,
            }
            for step in (placed, *history)
        ],
        "created": moment(order.created_at),
    }


def _refunds(order: Order, wanted: Sequence[WantedRefund]) -> list[dict[str, Any]]:
    """Ours, and those that somebody else asked the provider for."""
    theirs = {refund.id: refund for refund in order.holdings.refunds}
    views = [refund_view(one, theirs.pop(one.refund_id or "", None)) for one in wanted]
    foreign = [
        {
            "id": refund.id,
            "refund_id": refund.id,
            "amount": refund.amount_minor,
            "status": refund.status,
            "reason": refund.reason,
            "failure": refund.failure,
            "created": None,
        }
        for refund in theirs.values()
    ]
    return [*views, *foreign]
