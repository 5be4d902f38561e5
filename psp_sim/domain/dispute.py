"""A dispute: who paid asks the bank for the money back, and the bank decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DISPUTE_REASON = "fraudulent"


class DisputeStatus(StrEnum):
    """Opened takes the money, won gives it back, lost keeps it."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


DISPUTE_TRANSITIONS: dict[DisputeStatus, tuple[DisputeStatus, ...]] = {
    DisputeStatus.OPENED: (DisputeStatus.WON, DisputeStatus.LOST),
    DisputeStatus.WON: (),
    DisputeStatus.LOST: (),
}


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute about a payment."""

    id: str
    amount_minor: int
    status: DisputeStatus
    reason: str
    created_at: float

    @property
    def holds_money(self) -> bool:
        """Tell whether its amount is away from the merchant."""
        return self.status is not DisputeStatus.WON
