"""A refund: money of a captured payment on its way back to who paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RefundStatus(StrEnum):
    """Where a refund stands. Even one that succeeded can fail later: the bank returns it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


REFUND_TRANSITIONS: dict[RefundStatus, tuple[RefundStatus, ...]] = {
    RefundStatus.PENDING: (RefundStatus.SUCCEEDED,),
    RefundStatus.SUCCEEDED: (RefundStatus.FAILED,),
    RefundStatus.FAILED: (),
}


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of a payment. ``fails_after_s`` is when after its success the bank returns it."""

    id: str
    amount_minor: int
    status: RefundStatus
    reason: str | None
    created_at: float
    takes_s: float
    fails_after_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds_money(self) -> bool:
        """Tell whether its amount cannot be refunded once more."""
        return self.status is not RefundStatus.FAILED
