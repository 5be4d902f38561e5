"""Never more than is left of what was paid."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.domain.errors import NotRefundable, RefundTooLarge
from shop.domain.order import decide, fulfilled
from shop.domain.payment import PaymentReported, Refund
from shop.domain.refund import RefundStatus, WantedRefund, amount_to_refund, refundable_minor
from tests.shop.domain.test_holdings import AMOUNT, dispute, refund, view
from tests.shop.domain.test_order import ORDER

PAID = fulfilled(decide(ORDER, PaymentReported(view(2))).order)


def wanted(amount, status=RefundStatus.REQUESTED, refund_id=None):
    return WantedRefund("ref_1", "ord_1", "key", amount, None, status, 0.0, refund_id)


def after(**changes):
    return decide(PAID, PaymentReported(view(3, **changes))).order


def test_all_that_is_left_is_refunded_if_no_amount_is_given():
    assert amount_to_refund(PAID, [], None) == AMOUNT
    assert amount_to_refund(PAID, [wanted(250)], None) == AMOUNT - 250


def test_exactly_what_is_left_may_be_asked_for_and_not_one_more():
    assert amount_to_refund(PAID, [wanted(250)], AMOUNT - 250) == AMOUNT - 250
    with pytest.raises(RefundTooLarge, match=str(AMOUNT - 250)):
        amount_to_refund(PAID, [wanted(250)], AMOUNT - 249)


@pytest.mark.parametrize(
    ("order", "asked"),
    [
        (after(refunds=[refund("pending")]), []),
        (after(refunds=[refund("succeeded")]), []),
        (after(disputes=[dispute("opened")]), []),
        (after(disputes=[dispute("lost")]), []),
        (decide(PAID, PaymentReported(view(3, "failed"))).order, []),
        (PAID, [wanted(AMOUNT)]),
        (ORDER, []),
    ],
    ids=["pending", "succeeded", "disputed", "lost", "reversed", "asked for", "not paid"],
)
def test_where_nothing_is_left_nothing_is_refunded(order, asked):
    with pytest.raises(NotRefundable):
        amount_to_refund(order, asked, None)


def test_a_refund_that_failed_gives_its_amount_free_again():
    assert refundable_minor(PAID, [wanted(AMOUNT, RefundStatus.FAILED)]) == AMOUNT
    assert refundable_minor(after(refunds=[refund("failed")]), []) == AMOUNT


def test_a_refund_of_ours_counts_once_when_the_provider_tells_of_it_too():
    order = after(refunds=[Refund("re_1", 250, "pending")])
    assert refundable_minor(order, [wanted(250, RefundStatus.PENDING, "re_1")]) == AMOUNT - 250
    failed = after(refunds=[Refund("re_1", 250, "failed")])
    assert refundable_minor(failed, [wanted(250, RefundStatus.PENDING, "re_1")]) == AMOUNT


@given(st.lists(st.integers(min_value=1, max_value=AMOUNT), max_size=10))
def test_however_often_it_is_asked_for_the_sum_is_never_more_than_was_paid(amounts):
    granted = []
    for amount in amounts:
        try:
            allowed = amount_to_refund(PAID, granted, amount)
        except (NotRefundable, RefundTooLarge):
            continue
        granted.append(replace(wanted(allowed), id=f"ref_{len(granted)}"))
    assert sum(one.amount_minor for one in granted) <= AMOUNT
