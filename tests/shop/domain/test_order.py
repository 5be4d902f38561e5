"""The lattice: whatever arrives, in whatever order and however often, ends in the same state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.domain.catalogue import Item
from shop.domain.order import Order, OrderStatus, decide, fulfilled, later_of
from shop.domain.payment import NoAnswer, Payment, PaymentRefused, PaymentReported

ORDER = Order(
    id="ord_1",
    status=OrderStatus.PENDING,
    amount_minor=1250,
    currency="EUR",
    email="ada@example.com",
    items=(Item("mug", 1),),
    created_at=0.0,
)
PAYMENT = Payment("pay_1", "processing", 1250, "EUR", "ord_1")


def told(status: str, **changes: object) -> PaymentReported:
    return PaymentReported(replace(PAYMENT, status=status, **changes))


FACTS = [
    told("processing"),
    told("requires_action"),
    told("a state of next year"),
    told("failed", failure="card declined"),
    told("succeeded"),
    NoAnswer("timeout"),
]


def apply_all(order, outcomes):
    """End state, and every row that was written, as a store with unique ids keeps it."""
    rows = {}
    for outcome in outcomes:
        decision = decide(order, outcome)
        order = decision.order
        if decision.entry is not None:
            rows[decision.entry.id] = decision.entry
        if decision.fulfilment is not None:
            rows[decision.fulfilment.id] = decision.fulfilment
    return order, rows


@given(st.lists(st.sampled_from(FACTS), min_size=1, max_size=8), st.randoms())
def test_any_order_and_repetition_of_facts_gives_the_same_end_state(facts, randomness):
    shuffled = facts * 2
    randomness.shuffle(shuffled)
    assert apply_all(ORDER, shuffled) == apply_all(ORDER, facts)


@given(st.lists(st.sampled_from(FACTS), max_size=8))
def test_an_order_never_moves_down(facts):
    order = ORDER
    for fact in facts:
        after = decide(order, fact).order
        assert later_of(order.status, after.status) is after.status
        order = after


@given(*[st.sampled_from(OrderStatus)] * 3)
def test_states_form_a_join_semilattice(a, b, c):
    assert later_of(a, a) is a
    assert later_of(a, b) is later_of(b, a)
    assert later_of(later_of(a, b), c) is later_of(a, later_of(b, c))


def test_a_success_pays_books_and_ships_under_ids_that_follow_from_payment_and_order():
    decision = decide(ORDER, told("succeeded"))
    assert decision.order.status is OrderStatus.PAID
    assert decision.order.payment_id == "pay_1"
    assert decision.entry is not None
    assert decision.entry.id == "pay_1:captured"
    assert decision.fulfilment is not None
    assert (decision.fulfilment.id, decision.fulfilment.order_id) == ("ful_1", "ord_1")


@pytest.mark.parametrize("status", ["processing", "authorized", "requires_action", "???"])
def test_money_that_is_not_captured_pays_nothing(status):
    decision = decide(ORDER, told(status))
    assert decision.order.status is OrderStatus.PENDING
    assert decision.entry is None
    assert decision.fulfilment is None


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_a_failed_payment_fails_the_order_with_its_reason(status):
    order = decide(ORDER, told(status, failure="card declined")).order
    assert (order.status, order.failure) == (OrderStatus.FAILED, "card declined")


def test_a_late_success_lifts_a_failed_order_since_the_money_was_taken():
    failed = decide(ORDER, told("failed", failure="declined")).order
    order = decide(failed, told("succeeded")).order
    assert (order.status, order.failure) == (OrderStatus.PAID, None)


def test_no_answer_changes_nothing():
    assert decide(ORDER, NoAnswer("timeout")).order == ORDER


def test_a_refusal_fails_the_order_with_its_reason():
    order = decide(ORDER, PaymentRefused("amount too small")).order
    assert (order.status, order.failure) == (OrderStatus.FAILED, "amount too small")


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 1}, {"currency": "USD"}, {"reference": "ord_2"}],
    ids=["amount", "currency", "reference"],
)
def test_a_payment_of_something_else_is_set_aside(changes):
    decision = decide(ORDER, told("succeeded", **changes))
    assert decision.order == ORDER
    assert decision.set_aside is not None
    assert (decision.entry, decision.fulfilment) == (None, None)


def test_a_second_payment_of_a_paid_order_is_set_aside():
    paid = decide(ORDER, told("succeeded")).order
    decision = decide(paid, told("succeeded", id="pay_2"))
    assert decision.order == paid
    assert "second one" in (decision.set_aside or "")
    assert decision.entry is None


def test_a_second_payment_that_succeeds_pays_an_order_whose_first_one_did_not():
    failed = decide(ORDER, told("failed")).order
    order = decide(failed, told("succeeded", id="pay_2")).order
    assert (order.status, order.payment_id) == (OrderStatus.PAID, "pay_2")


def test_fulfilled_is_the_top():
    order = fulfilled(decide(ORDER, told("succeeded")).order)
    assert order.status is OrderStatus.FULFILLED
    assert decide(order, told("succeeded")).order == order
    assert decide(order, told("processing")).order == order
