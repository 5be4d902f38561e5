"""Corrections: whatever order a payment's history arrives in, the order ends in the same place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.domain.holdings import NOTHING_KNOWN, Holdings, holdings_in, newer_of
from shop.domain.holdings_text import holdings_from, text_of
from shop.domain.ledger import entry_for_change
from shop.domain.order import decide, fulfilled
from shop.domain.payment import Dispute, Payment, PaymentReported, Refund
from tests.shop.domain.test_order import ORDER

AMOUNT = ORDER.amount_minor


def view(sequence, status="succeeded", refunds=(), disputes=()):
    return Payment(
        "pay_1",
        status,
        AMOUNT,
        "EUR",
        "ord_1",
        failure="no funds" if status == "failed" else None,
        sequence=sequence,
        refunds=tuple(refunds),
        disputes=tuple(disputes),
    )


def refund(status, amount=AMOUNT, name="re_1"):
    return Refund(name, amount, status)


def dispute(status):
    return Dispute("dp_1", AMOUNT, status)


PAID = [view(1, "processing"), view(2)]
# Each history in the provider's order, and where the order has to end.
HISTORIES = {
    "paid": (PAID, "paid"),
    "failed": ([view(1, "processing"), view(2, "failed")], "failed"),
    "refunded": (
        [*PAID, view(3, refunds=[refund("pending")]), view(4, refunds=[refund("succeeded")])],
        "refunded",
    ),
    "refund on its way": ([*PAID, view(3, refunds=[refund("pending")])], "paid"),
    "refund fails at once": (
        [*PAID, view(3, refunds=[refund("pending")]), view(4, refunds=[refund("failed")])],
        "paid",
    ),
    "refund fails later": (
        [*PAID, view(3, refunds=[refund("succeeded")]), view(4, refunds=[refund("failed")])],
        "paid",
    ),
    "two partial refunds": (
        [
            *PAID,
            view(3, refunds=[refund("succeeded", 100)]),
            view(4, refunds=[refund("succeeded", 100), refund("succeeded", 100, "re_2")]),
        ],
        "partially_refunded",
    ),
    "late failure": ([*PAID, view(3, "failed")], "reversed"),
    "dispute open": ([*PAID, view(3, disputes=[dispute("opened")])], "disputed"),
    "dispute won": (
        [*PAID, view(3, disputes=[dispute("opened")]), view(4, disputes=[dispute("won")])],
        "paid",
    ),
    "dispute lost": (
        [*PAID, view(3, disputes=[dispute("opened")]), view(4, disputes=[dispute("lost")])],
        "reversed",
    ),
    "failure before success": ([view(1, "processing"), view(2, "failed"), view(3)], "paid"),
    "dispute while refunding": (
        [
            *PAID,
            view(3, refunds=[refund("succeeded", 100)]),
            view(4, refunds=[refund("succeeded", 100)], disputes=[Dispute("dp_1", 1150, "opened")]),
            view(5, refunds=[refund("failed", 100)], disputes=[Dispute("dp_1", 1150, "won")]),
        ],
        "paid",
    ),
}


def play(views):
    """The end: the order, the books by account, and what was shipped."""
    order, rows, shipped = ORDER, {}, set()
    for one in views:
        decision = decide(order, PaymentReported(one))
        assert decision.set_aside is None
        order = decision.order
        if decision.entry is not None:
            assert decision.entry.id not in rows, "each entry is a new one"
            rows[decision.entry.id] = decision.entry
        if decision.fulfilment is not None:
            shipped.add(decision.fulfilment.id)
    books: dict[str, int] = {}
    for entry in rows.values():
        for line in entry.lines:
            books[line.account] = books.get(line.account, 0) + line.amount_minor
    return order, {account: sum_ for account, sum_ in books.items() if sum_}, shipped


def owed(newest):
    """What the provider says it owes: captured, less refunds succeeded, less disputes not won."""
    captured = newest.amount_minor if newest.status == "succeeded" else 0
    refunded = sum(one.amount_minor for one in newest.refunds if one.status == "succeeded")
    return (
        captured
        - refunded
        - sum(one.amount_minor for one in newest.disputes if one.status in ("opened", "lost"))
    )


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_in_its_own_order_ends_where_it_has_to(name):
    views, status = HISTORIES[name]
    order, books, _ = play(views)
    assert order.public_status == status
    assert books.get("provider", 0) == owed(views[-1])
    assert sum(books.values()) == 0


@pytest.mark.parametrize("name", HISTORIES)
@given(st.data())
def test_any_order_and_repetition_of_a_whole_history_ends_in_the_same_place(name, data):
    views, status = HISTORIES[name]
    repeats = data.draw(st.lists(st.sampled_from(views), max_size=6))
    shuffled = data.draw(st.permutations([*views, *repeats]))
    order, books, shipped = play(shuffled)
    in_order, its_books, its_shipped = play(views)
    assert order.public_status == in_order.public_status == status
    assert replace(order.holdings, entries=0) == replace(in_order.holdings, entries=0)
    assert (order.status, order.payment_id, order.failure) == (
        in_order.status,
        in_order.payment_id,
        in_order.failure,
    )
    assert books == its_books
    # A payment that has failed again is not shipped for, if that was known first.
    assert shipped == its_shipped or (name == "late failure" and not shipped)


@pytest.mark.parametrize("name", HISTORIES)
@given(st.data())
def test_the_books_balance_and_agree_with_the_newest_view_after_every_step(name, data):
    views, _ = HISTORIES[name]
    seen = data.draw(st.lists(st.sampled_from(views), min_size=1, max_size=8))
    _, books, _ = play(seen)
    assert sum(books.values()) == 0
    assert books.get("provider", 0) == owed(max(seen, key=lambda one: one.sequence))


HOLDINGS = st.sampled_from([holdings_in(one) for views, _ in HISTORIES.values() for one in views])


@given(HOLDINGS, HOLDINGS, HOLDINGS)
def test_views_form_a_join_semilattice(a, b, c):
    assert newer_of(a, a) == a
    assert newer_of(a, b) == newer_of(b, a)
    assert newer_of(newer_of(a, b), c) == newer_of(a, newer_of(b, c))


@given(HOLDINGS)
def test_holdings_survive_being_stored(holdings):
    assert holdings_from(text_of(holdings)) == holdings
    assert holdings_from(text_of(NOTHING_KNOWN)) == NOTHING_KNOWN


def test_goods_that_have_left_stay_on_the_order_whatever_becomes_of_the_money():
    order = fulfilled(play(PAID)[0])
    refunded = decide(order, PaymentReported(view(3, refunds=[refund("succeeded")]))).order
    assert (refunded.status, refunded.public_status) == ("fulfilled", "refunded")
    again = decide(refunded, PaymentReported(view(4, refunds=[refund("failed")]))).order
    assert again.public_status == "fulfilled"


def test_a_payment_captured_in_part_is_booked_and_does_not_pay_the_order():
    decision = decide(ORDER, PaymentReported(replace(view(2), captured_minor=AMOUNT - 1)))
    assert decision.order.public_status == "pending"
    assert f"only {AMOUNT - 1} of {AMOUNT}" in (decision.set_aside or "")
    assert decision.entry is not None
    assert decision.entry.lines[0].amount_minor == AMOUNT - 1
    assert decision.fulfilment is None


def test_an_entry_after_the_first_is_named_as_a_correction():
    payment = view(4, refunds=[refund("succeeded", 100)])
    entry = entry_for_change(
        payment, replace(holdings_in(view(2)), entries=1), holdings_in(payment)
    )
    assert entry is not None
    assert (entry.id, {line.account: line.amount_minor for line in entry.lines}) == (
        "pay_1:correction-1",
        {"provider": -100, "refunds": 100},
    )
    assert entry_for_change(payment, holdings_in(payment), holdings_in(payment)) is None


def test_a_provider_that_does_not_count_is_believed_by_how_far_its_payment_has_come():
    late = newer_of(Holdings(0, "succeeded", AMOUNT, True), Holdings(0, "processing"))
    assert late.status == "succeeded"
