"""The moves of a payment: from a payment and a wish, or a time, to the payment after and its event.

``Change`` says what to tell the world; without an event type there is nothing to tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from psp_sim.domain.course import Due, Step
from psp_sim.domain.dispute import DISPUTE_REASON, DISPUTE_TRANSITIONS, Dispute, DisputeStatus
from psp_sim.domain.errors import InvalidAmount, InvalidState
from psp_sim.domain.payment import CaptureMethod, Payment, Status, Trigger, moved, scheduled
from psp_sim.domain.refund import REFUND_TRANSITIONS, Refund, RefundStatus


class Change(NamedTuple):
    """A payment as it is now, and the type of the event that tells of it."""

    payment: Payment
    event_type: str | None


def accepted(payment: Payment) -> Change:
    """Start a new payment on its course."""
    if payment.course.needs_action:
        return _told(payment._replace(status=Status.REQUIRES_ACTION))
    return _told(_processing(payment, payment.created_at))


def authenticated(payment: Payment, *, is_approved: bool, now: float) -> Change:
    """Let who pays approve or refuse. Raises InvalidState unless an action is required."""
    if is_approved:
        return _told(_processing(moved(payment, Trigger.APPROVE), now))
    refused = moved(payment, Trigger.REFUSE)
    return _told(refused._replace(failure_code="authentication_failed", agenda=()))


def captured(payment: Payment, amount_minor: int | None, now: float) -> Change:
    """Take the money that is held, or a part of it: the rest is let go.

    ``amount_minor`` None is all of it. Raises InvalidState unless authorized, InvalidAmount if
    more is asked than is held.
    """
    after = moved(payment, Trigger.CAPTURE)
    amount_minor = payment.capturable_minor if amount_minor is None else amount_minor
    _check_amount("captured", amount_minor, payment.capturable_minor)
    return _told(_paid(after, amount_minor, now))


def canceled(payment: Payment) -> Change:
    """Give up a payment of which no money was taken. Raises InvalidState."""
    return _told(moved(payment, Trigger.CANCEL)._replace(agenda=(), expires_at=None))


def refund_requested(payment: Payment, refund: Refund) -> Change:
    """Send money back. Raises InvalidState unless succeeded, InvalidAmount beyond what is left."""
    if payment.status is not Status.SUCCEEDED:
        raise InvalidState(
            f"payment {payment.id} is {payment.status.value}: only one that succeeded has money "
            "to send back"
        )
    _check_amount("refunded", refund.amount_minor, payment.left_minor)
    after = payment._replace(refunds=(*payment.refunds, refund), sequence=payment.sequence + 1)
    due = Due(refund.created_at + refund.takes_s, Step.SETTLE_REFUND, refund.id)
    return Change(scheduled(after, due), f"refund.{refund.status}")


def next_happened(payment: Payment, now: float) -> Change:
    """Let the first thing on the agenda happen; what no longer applies passes in silence."""
    due, rest = payment.agenda[0], payment._replace(agenda=payment.agenda[1:])
    match due.step:
        case Step.SETTLE:
            return _settled(rest, now)
        case Step.EXPIRE:
            return _told(moved(rest, Trigger.EXPIRE)._replace(expires_at=None))
        case Step.FAIL_LATE:
            return _failed_late(rest)
        case Step.OPEN_DISPUTE:
            return _dispute_opened(rest, now)
        case Step.DECIDE_DISPUTE:
            return _dispute_decided(rest)
        case Step.SETTLE_REFUND:
            return _refund_moved(rest, due.subject, RefundStatus.SUCCEEDED, now)
        case Step.FAIL_REFUND:
            return _refund_moved(rest, due.subject, RefundStatus.FAILED, now)


def _told(payment: Payment) -> Change:
    return Change(payment, f"payment.{payment.status}")


def _check_amount(done: str, amount_minor: int, most_minor: int) -> None:
    if not 1 <= amount_minor <= most_minor:
        raise InvalidAmount(
            f"of this payment at most {most_minor} minor units can be {done}, not {amount_minor}"
        )


def _processing(payment: Payment, now: float) -> Payment:
    after_s = payment.course.settles_after_s
    return payment if after_s is None else scheduled(payment, Due(now + after_s, Step.SETTLE))


def _settled(payment: Payment, now: float) -> Change:
    course = payment.course
    if course.decline_code:
        declined = moved(payment, Trigger.DECLINE)
        return _told(declined._replace(failure_code=course.decline_code))
    if payment.capture_method is CaptureMethod.MANUAL:
        expires_at = now + course.authorization_expires_after_s
        held = moved(payment, Trigger.AUTHORIZE)._replace(expires_at=expires_at)
        return _told(scheduled(held, Due(expires_at, Step.EXPIRE)))
    return _told(_paid(moved(payment, Trigger.SETTLE), payment.money.amount_minor, now))


def _paid(payment: Payment, amount_minor: int, now: float) -> Payment:
    """Take the money, and plan what the course has in store for it."""
    course = payment.course
    paid = payment._replace(captured_minor=amount_minor, expires_at=None, agenda=())
    if course.fails_after_s is not None:
        paid = scheduled(paid, Due(now + course.fails_after_s, Step.FAIL_LATE))
    if course.dispute is not None:
        paid = scheduled(paid, Due(now + course.dispute.opens_after_s, Step.OPEN_DISPUTE))
    return paid


def _failed_late(payment: Payment) -> Change:
    # A bank does not take back what has gone back, or is on its way back, already.
    if not payment.allows(Trigger.FAIL_LATE) or payment.left_minor < payment.captured_minor:
        return Change(payment, None)
    failed = moved(payment, Trigger.FAIL_LATE)
    return _told(failed._replace(failure_code="debit_returned", captured_minor=0, agenda=()))


def _dispute_opened(payment: Payment, now: float) -> Change:
    course = payment.course.dispute
    if course is None or payment.left_minor == 0:
        return Change(payment, None)
    # There is one dispute per payment at most, so its id needs no chance.
    dispute_id = f"dp_{payment.id.removeprefix('pay_')}"
    opened = Dispute(
        dispute_id, payment.left_minor, DisputeStatus.OPENED, reason=DISPUTE_REASON, created_at=now
    )
    after = payment._replace(disputes=(*payment.disputes, opened), sequence=payment.sequence + 1)
    due = Due(now + course.decided_after_s, Step.DECIDE_DISPUTE)
    return Change(scheduled(after, due), f"dispute.{opened.status}")


def _dispute_decided(payment: Payment) -> Change:
    course, opened = payment.course.dispute, payment.disputes[-1]
    assert course is not None, "a dispute that opened has a course"
    assert course.outcome in DISPUTE_TRANSITIONS[opened.status], "a dispute is decided once"
    decided = replace(opened, status=course.outcome)
    after = payment._replace(
        disputes=(*payment.disputes[:-1], decided), sequence=payment.sequence + 1
    )
    return Change(after, f"dispute.{decided.status}")


def _refund_moved(payment: Payment, refund_id: str, status: RefundStatus, now: float) -> Change:
    refund = next(each for each in payment.refunds if each.id == refund_id)
    assert status in REFUND_TRANSITIONS[refund.status], f"{refund.status} cannot become {status}"
    changed = replace(refund, status=status)
    refunds = tuple(changed if each.id == refund_id else each for each in payment.refunds)
    after = payment._replace(refunds=refunds, sequence=payment.sequence + 1)
    if status is RefundStatus.SUCCEEDED and refund.fails_after_s is not None:
        after = scheduled(after, Due(now + refund.fails_after_s, Step.FAIL_REFUND, refund_id))
    return Change(after, f"refund.{status}")
