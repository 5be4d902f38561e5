"""A payment: its states, and the table of which may follow which, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from psp_sim.domain.course import Course, Due
from psp_sim.domain.dispute import Dispute
from psp_sim.domain.errors import InvalidState
from psp_sim.domain.money import Money
from psp_sim.domain.refund import Refund, RefundStatus


class Status(StrEnum):
    """Where a payment stands."""

    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Trigger(StrEnum):
    """What moves a payment from one state to the next."""

    APPROVE = "approve"
    REFUSE = "refuse"
    SETTLE = "settle"
    AUTHORIZE = "authorize"
    DECLINE = "decline"
    CAPTURE = "capture"
    CANCEL = "cancel"
    EXPIRE = "expire"
    FAIL_LATE = "fail_late"


class CaptureMethod(StrEnum):
    """Whether the money is taken at once, or held until the merchant captures it."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table. ``meaning`` says what happens, for people."""

    before: Status
    trigger: Trigger
    after: Status
    meaning: str


_S, _T = Status, Trigger
LIFECYCLE: tuple[Transition, ...] = (
    Transition(_S.REQUIRES_ACTION, _T.APPROVE, _S.PROCESSING, "who pays approves the payment"),
    Transition(_S.REQUIRES_ACTION, _T.REFUSE, _S.FAILED, "who pays refuses it"),
    Transition(_S.REQUIRES_ACTION, _T.CANCEL, _S.CANCELED, "the merchant cancels"),
    Transition(_S.PROCESSING, _T.SETTLE, _S.SUCCEEDED, "the money is taken"),
    Transition(_S.PROCESSING, _T.AUTHORIZE, _S.AUTHORIZED, "the money is held (manual capture)"),
    Transition(_S.PROCESSING, _T.DECLINE, _S.FAILED, "the bank declines"),
    Transition(_S.AUTHORIZED, _T.CAPTURE, _S.SUCCEEDED, "the merchant takes all or a part"),
    Transition(_S.AUTHORIZED, _T.CANCEL, _S.CANCELED, "the merchant lets the money go"),
    Transition(_S.AUTHORIZED, _T.EXPIRE, _S.EXPIRED, "nobody captured in time"),
    Transition(_S.SUCCEEDED, _T.FAIL_LATE, _S.FAILED, "the bank takes the money back"),
)

TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    status: tuple(dict.fromkeys(each.after for each in LIFECYCLE if each.before is status))
    for status in Status
}
_AFTER = {(each.before, each.trigger): each.after for each in LIFECYCLE}

# States that a call or the agenda still has to lead out of.
OPEN_STATUSES = (Status.REQUIRES_ACTION, Status.PROCESSING, Status.AUTHORIZED)

FAILURE_MESSAGES: dict[str, str] = {
    "card_declined": "The card was declined.",
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "authentication_failed": "Who pays refused the payment.",
    "debit_returned": "The bank took the money back.",
    "refund_returned": "The bank returned the refund.",
}
DECLINE_CODES = ("card_declined", "insufficient_funds", "expired_card")


class Payment(NamedTuple):
    """One payment with its refunds and disputes. ``agenda`` is sorted by time.

    ``action_url`` is where who pays is sent while the payment requires an action. A tuple, since
    each move of a payment makes a new one: a frozen dataclass takes four times as long for that.
    """

    id: str
    reference: str
    order_number: int
    money: Money
    payment_method: str
    metadata: Mapping[str, str]
    status: Status
    sequence: int
    created_at: float
    course: Course
    agenda: tuple[Due, ...] = ()
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    captured_minor: int = 0
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    failure_code: str | None = None
    expires_at: float | None = None
    action_url: str | None = None

    @property
    def due_at(self) -> float | None:
        """When something is next to happen by itself."""
        return self.agenda[0].at if self.agenda else None

    @property
    def capturable_minor(self) -> int:
        """What may be captured now."""
        return self.money.amount_minor if self.status is Status.AUTHORIZED else 0

    @property
    def refunded_minor(self) -> int:
        """What really went back."""
        if not self.refunds:
            return 0
        succeeded = (each for each in self.refunds if each.status is RefundStatus.SUCCEEDED)
        return sum(refund.amount_minor for refund in succeeded)

    @property
    def left_minor(self) -> int:
        """What is captured and neither refunded, being refunded, nor held by a dispute."""
        refunds = sum(each.amount_minor for each in self.refunds if each.holds_money)
        disputes = sum(each.amount_minor for each in self.disputes if each.holds_money)
        return self.captured_minor - refunds - disputes

    def allows(self, trigger: Trigger) -> bool:
        """Tell whether the table has such a move from here."""
        return (self.status, trigger) in _AFTER


def moved(payment: Payment, trigger: Trigger) -> Payment:
    """Return the payment in its next state, one step on. Raises InvalidState off the table."""
    after = _AFTER.get((payment.status, trigger))
    if after is None:
        able = " or ".join(e.before.value for e in LIFECYCLE if e.trigger is trigger)
        raise InvalidState(
            f"payment {payment.id} is {payment.status.value}: to {trigger.value} it, it has to be "
            f"{able}; read the payment to see what became of it"
        )
    return payment._replace(status=after, sequence=payment.sequence + 1)


def scheduled(payment: Payment, *entries: Due) -> Payment:
    """Return the payment with more on its agenda; what is due at one time keeps its order."""
    agenda = sorted((*payment.agenda, *entries), key=lambda due: due.at)
    return payment._replace(agenda=tuple(agenda))
