"""The course of a payment: what will become of it, decided when it is accepted, and its agenda."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from psp_sim.domain.dispute import DisputeStatus

AUTHORIZATION_EXPIRES_AFTER_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class DisputeCourse:
    """When after success a dispute opens, when after that it is decided, and how."""

    opens_after_s: float
    decided_after_s: float
    outcome: DisputeStatus


@dataclass(frozen=True, slots=True)
class Course:
    """Delays in seconds, as long as they really take. Nothing of it shows before it happens."""

    settles_after_s: float | None = 0.0
    needs_action: bool = False
    decline_code: str | None = None
    fails_after_s: float | None = None
    dispute: DisputeCourse | None = None
    refund_fails_after_s: float | None = None
    authorization_expires_after_s: float = AUTHORIZATION_EXPIRES_AFTER_S


class Step(StrEnum):
    """What can be due on a payment."""

    SETTLE = "settle"
    EXPIRE = "expire"
    FAIL_LATE = "fail_late"
    OPEN_DISPUTE = "open_dispute"
    DECIDE_DISPUTE = "decide_dispute"
    SETTLE_REFUND = "settle_refund"
    FAIL_REFUND = "fail_refund"


@dataclass(frozen=True, slots=True)
class Due:
    """One entry of a payment's agenda. ``subject`` is the refund that it is about."""

    at: float
    step: Step
    subject: str = ""
