"""The life of a payment as a state machine: no money out of nothing, no move off the table."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from psp_sim.domain.course import Course, DisputeCourse, Due, Step
from psp_sim.domain.dispute import DISPUTE_TRANSITIONS, DisputeStatus
from psp_sim.domain.errors import InvalidAmount, InvalidState
from psp_sim.domain.event import EVENT_TYPES
from psp_sim.domain.lifecycle import (
    accepted,
    authenticated,
    canceled,
    captured,
    next_happened,
    refund_requested,
)
from psp_sim.domain.money import Money
from psp_sim.domain.payment import (
    LIFECYCLE,
    OPEN_STATUSES,
    TRANSITIONS,
    CaptureMethod,
    Payment,
    Status,
    Trigger,
    moved,
)
from psp_sim.domain.refund import REFUND_TRANSITIONS, Refund, RefundStatus

AMOUNT = 1000
DELAYS = st.sampled_from([0.0, 1.0, 60.0])
MAYBE = st.none() | DELAYS


def new_payment(course=None, capture=CaptureMethod.AUTOMATIC):
    return Payment(
        id="pay_1",
        reference="order-1",
        order_number=1,
        money=Money(AMOUNT, "EUR"),
        payment_method="card",
        metadata={},
        status=Status.PROCESSING,
        sequence=1,
        created_at=0.0,
        course=course or Course(settles_after_s=1.0),
        capture_method=capture,
    )


def new_refund(amount, number=1, at=0.0, takes_s=1.0, fails_after_s=None):
    return Refund(f"re_{number}", amount, RefundStatus.PENDING, None, at, takes_s, fails_after_s)


COURSES = st.builds(
    Course,
    settles_after_s=MAYBE,
    needs_action=st.booleans(),
    decline_code=st.none() | st.just("card_declined"),
    fails_after_s=MAYBE,
    dispute=st.none()
    | st.builds(
        DisputeCourse, DELAYS, DELAYS, st.sampled_from([DisputeStatus.WON, DisputeStatus.LOST])
    ),
    authorization_expires_after_s=DELAYS,
)


class PaymentLife(RuleBasedStateMachine):
    """Everything that a merchant, who pays, a bank and time can do to one payment."""

    @initialize(course=COURSES, capture=st.sampled_from(CaptureMethod))
    def begin(self, course, capture):
        self.now = 0.0
        self.ever_captured = 0
        self.payment, event_type = accepted(new_payment(course, capture))
        assert event_type == f"payment.{self.payment.status}"
        assert self.payment.sequence == 1

    def take(self, change):
        """Check a change against the tables and make it."""
        before, (after, event_type) = self.payment, change
        if after.status is not before.status:
            assert after.status in TRANSITIONS[before.status]
        if event_type is None:
            assert (after.sequence, after.status) == (before.sequence, before.status)
            assert (after.refunds, after.disputes) == (before.refunds, before.disputes)
        else:
            assert after.sequence == before.sequence + 1
            assert event_type in EVENT_TYPES
        for old, new in zip(before.refunds, after.refunds, strict=False):
            assert new.status is old.status or new.status in REFUND_TRANSITIONS[old.status]
            assert new.amount_minor == old.amount_minor
        for old, new in zip(before.disputes, after.disputes, strict=False):
            assert new.status is old.status or new.status in DISPUTE_TRANSITIONS[old.status]
        self.payment = after

    def attempt(self, change, allowed):
        """Try what is wished for: it is refused exactly when the table does not have it."""
        try:
            result = change()
        except InvalidState:
            assert not allowed
        else:
            assert allowed
            self.take(result)

    @rule(approves=st.booleans())
    def authenticate(self, approves):
        self.attempt(
            lambda: authenticated(self.payment, is_approved=approves, now=self.now),
            self.payment.status is Status.REQUIRES_ACTION,
        )

    @rule(amount=st.none() | st.integers(-1, AMOUNT + 1))
    def capture(self, amount):
        allowed = self.payment.status is Status.AUTHORIZED
        try:
            self.attempt(lambda: captured(self.payment, amount, self.now), allowed)
        except InvalidAmount:
            assert amount is not None
            assert allowed
            assert not 1 <= amount <= AMOUNT

    @rule()
    def cancel(self):
        allowed = self.payment.status in (Status.REQUIRES_ACTION, Status.AUTHORIZED)
        self.attempt(lambda: canceled(self.payment), allowed)

    @rule(amount=st.integers(0, AMOUNT + 1), takes_s=DELAYS, fails_after_s=MAYBE)
    def refund(self, amount, takes_s, fails_after_s):
        left = self.payment.left_minor
        number = len(self.payment.refunds) + 1
        refund = new_refund(amount, number, self.now, takes_s, fails_after_s)
        try:
            self.attempt(
                lambda: refund_requested(self.payment, refund),
                self.payment.status is Status.SUCCEEDED,
            )
        except InvalidAmount:
            assert not 1 <= amount <= left

    @precondition(lambda self: self.payment.agenda)
    @rule(late_s=DELAYS)
    def let_time_pass(self, late_s):
        self.now = max(self.now, self.payment.due_at) + late_s
        self.take(next_happened(self.payment, self.now))

    @invariant()
    def no_money_comes_out_of_nothing(self):
        payment = self.payment
        assert 0 <= payment.captured_minor <= AMOUNT
        assert payment.left_minor >= 0
        assert payment.refunded_minor <= payment.captured_minor
        assert (payment.captured_minor > 0) is (payment.status is Status.SUCCEEDED)
        assert payment.capturable_minor in (0, AMOUNT)
        assert (payment.failure_code is not None) is (payment.status is Status.FAILED)
        assert (payment.expires_at is not None) is (payment.status is Status.AUTHORIZED)

    @invariant()
    def the_agenda_is_in_order_and_final_states_have_none(self):
        times = [due.at for due in self.payment.agenda]
        assert times == sorted(times)
        if not TRANSITIONS[self.payment.status]:
            assert not self.payment.agenda


PaymentLife.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestPaymentLife = PaymentLife.TestCase


def after_agenda(payment):
    told = []
    while payment.agenda:
        payment, event_type = next_happened(payment, payment.due_at)
        told.append(event_type)
    return payment, told


def test_the_table_has_one_answer_to_each_trigger_in_a_state():
    pairs = [(each.before, each.trigger) for each in LIFECYCLE]
    assert len(pairs) == len(set(pairs))
    assert {each.trigger for each in LIFECYCLE} == set(Trigger)
    reached = {each.after for each in LIFECYCLE} | {Status.REQUIRES_ACTION}
    assert reached == set(Status)
    assert all(TRANSITIONS[status] for status in OPEN_STATUSES)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_move_is_on_the_table_or_refused(status, trigger):
    payment = accepted(new_payment()).payment._replace(status=status)
    wanted = [e.after for e in LIFECYCLE if (e.before, e.trigger) == (status, trigger)]
    if wanted:
        assert [moved(payment, trigger).status] == wanted
    else:
        with pytest.raises(InvalidState, match=f"is {status.value}"):
            moved(payment, trigger)


def test_the_money_of_a_dispute_that_is_won_can_be_refunded_again():
    course = Course(1.0, dispute=DisputeCourse(1.0, 1.0, DisputeStatus.WON))
    payment = next_happened(accepted(new_payment(course)).payment, 1.0).payment
    opened = next_happened(payment, 2.0).payment
    with pytest.raises(InvalidAmount, match="at most 0"):
        refund_requested(opened, new_refund(1))
    won = next_happened(opened, 3.0).payment
    assert refund_requested(won, new_refund(AMOUNT)).payment.left_minor == 0


def test_the_bank_does_not_take_back_what_has_gone_back():
    course = Course(1.0, fails_after_s=100.0)
    payment = next_happened(accepted(new_payment(course)).payment, 1.0).payment
    payment = refund_requested(payment, new_refund(1, at=2.0)).payment
    payment, told = after_agenda(payment)
    assert (payment.status, told) == (Status.SUCCEEDED, ["refund.succeeded", None])


def test_what_is_due_first_happens_first():
    payment = accepted(new_payment(Course(5.0))).payment
    assert payment.agenda == (Due(5.0, Step.SETTLE),)
    assert payment.due_at == 5.0
