"""A refund that the shop wants: never for more than is left of what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shop.domain.errors import NotRefundable, RefundTooLarge
from shop.domain.order import Order, OrderStatus


class RefundStatus(StrEnum):
    """How far a wanted refund has come; the provider's own states follow ``requested``."""

    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WantedRefund:
    """What the shop asks the provider for. Amount in minor units, Unix seconds.

    Args:
        idempotency_key: stored before the provider is asked, and used on every try
        refund_id: the provider's own id, once it has answered
    """

    id: str
    order_id: str
    idempotency_key: str
    amount_minor: int
    reason: str | None
    status: RefundStatus
    created_at: float
    refund_id: str | None = None
    failure: str | None = None


def refundable_minor(order: Order, wanted: Sequence[WantedRefund]) -> int:
    """What is left to refund: captured, less what disputes hold, less every refund not failed.

    A refund of ours whose answer got lost may be among the provider's too, and counts twice until
    the two are known to be one: too little can be asked for again, too much cannot be taken back.
    """
    holdings = order.holdings
    theirs = {one.id: one for one in holdings.refunds}
    taken_minor = holdings.disputed_minor
    for refund in holdings.refunds:
        taken_minor += 0 if refund.status == RefundStatus.FAILED else refund.amount_minor
    for one in wanted:
        known_there = one.refund_id in theirs
        if not known_there and one.status is not RefundStatus.FAILED:
            taken_minor += one.amount_minor
    return max(holdings.captured_minor - taken_minor, 0)


def amount_to_refund(order: Order, wanted: Sequence[WantedRefund], asked_minor: int | None) -> int:
    """The amount of the next refund; None asks for all that is left.

    Raises NotRefundable or RefundTooLarge.
    """
    if order.payment_id is None or order.status in (OrderStatus.PENDING, OrderStatus.FAILED):
        raise NotRefundable(f"order {order.id} is {order.public_status}: nothing was paid for it")
    left_minor = refundable_minor(order, wanted)
    if left_minor == 0:
        raise NotRefundable(f"nothing is left to refund of order {order.id}")
    if asked_minor is not None and asked_minor > left_minor:
        raise RefundTooLarge(
            f"{asked_minor} is more than the {left_minor} {order.currency} (minor units) "
            f"that are left of order {order.id}"
        )
    return left_minor if asked_minor is None else asked_minor
