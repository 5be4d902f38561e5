"""The conservation check: agreeing books are silent, each kind of difference is a sentence."""

from __future__ import annotations

from dataclasses import replace

from loadtests.conservation import (
    Books,
    Call,
    Order,
    Payment,
    account,
    findings,
    still_pending,
)

BALANCED = Books(
    payments=(
        Payment("ord_1", "succeeded", 1250, "EUR"),
        Payment("ord_2", "succeeded", 1980, "JPY"),
        Payment("ord_3", "failed", 50, "EUR"),
    ),
    orders=(
        Order("ord_1", "fulfilled", 1250, "EUR"),
        Order("ord_2", "fulfilled", 1980, "JPY"),
        Order("ord_3", "failed", 50, "EUR"),
    ),
    calls=(Call("ord_1", "ful_1"), Call("ord_2", "ful_2")),
)


def test_books_that_agree_give_no_finding() -> None:
    assert findings(BALANCED) == []
    assert still_pending(BALANCED) == ""


def test_a_repeated_call_for_one_fulfilment_is_no_second_fulfilment() -> None:
    books = replace(BALANCED, calls=(*BALANCED.calls, Call("ord_1", "ful_1")))
    assert findings(books) == []
    assert "2 distinct fulfilments for 2 orders, and 1 repeated calls" in " ".join(account(books))


def test_a_missing_fulfilment_is_found() -> None:
    books = replace(BALANCED, calls=BALANCED.calls[:1])
    assert findings(books) == ["1 orders are paid but were never fulfilled: ord_2."]


def test_a_double_fulfilment_is_found() -> None:
    books = replace(BALANCED, calls=(*BALANCED.calls, Call("ord_1", "ful_3")))
    assert findings(books) == ["1 orders were fulfilled more than once: ord_1."]


def test_calls_without_a_fulfilment_id_count_each_by_itself() -> None:
    books = replace(BALANCED, calls=(*BALANCED.calls, Call("ord_1", None)))
    assert findings(books) == ["1 orders were fulfilled more than once: ord_1."]


def test_a_fulfilment_that_nobody_paid_for_is_found() -> None:
    books = replace(BALANCED, calls=(*BALANCED.calls, Call("ord_3", "ful_3")))
    assert findings(books) == ["1 orders were fulfilled but are not paid: ord_3."]


def test_a_double_charge_is_found_with_its_money() -> None:
    again = Payment("ord_1", "succeeded", 1250, "EUR")
    books = replace(BALANCED, payments=(*BALANCED.payments, again))
    assert findings(books) == [
        "1 orders were charged more than once: ord_1.",
        "EUR: 2,500 were captured but 1,250 are paid (minor units).",
    ]


def test_a_charge_that_the_shop_missed_is_found() -> None:
    orders = (replace(BALANCED.orders[0], status="pending"), *BALANCED.orders[1:])
    found = findings(replace(BALANCED, orders=orders))
    assert found[0] == "1 orders were charged but are not paid at the shop: ord_1."


def test_an_order_paid_for_nothing_is_found() -> None:
    orders = (*BALANCED.orders[:2], replace(BALANCED.orders[2], status="paid"))
    found = findings(replace(BALANCED, orders=orders))
    assert found[0] == "1 orders are paid at the shop but were never charged: ord_3."


def test_a_wrong_amount_is_found_in_its_own_currency() -> None:
    orders = (BALANCED.orders[0], replace(BALANCED.orders[1], amount_minor=1), BALANCED.orders[2])
    found = findings(replace(BALANCED, orders=orders))
    assert found == ["JPY: 1,980 were captured but 1 are paid (minor units)."]


def test_many_orders_are_counted_and_three_are_named() -> None:
    orders = tuple(Order(f"ord_{n}", "paid", 1, "EUR") for n in range(5))
    found = findings(Books((), orders, ()))
    assert found[0] == (
        "5 orders are paid at the shop but were never charged: ord_0, ord_1, ord_2, …."
    )


def test_what_is_under_way_is_pending() -> None:
    payments = (replace(BALANCED.payments[0], status="processing"),)
    orders = (replace(BALANCED.orders[0], status="paid"), *BALANCED.orders[1:])
    assert still_pending(Books(payments, orders, ())) == "1 payments and 1 orders"


LEDGER = {"provider": {"EUR": 1250, "JPY": 1980}, "sales": {"EUR": -1250, "JPY": -1980}}


def test_a_ledger_that_holds_what_was_captured_and_nets_to_zero_gives_no_finding() -> None:
    assert findings(replace(BALANCED, ledger=LEDGER)) == []


def test_a_ledger_that_made_money_up_is_found() -> None:
    [sentence] = findings(
        replace(BALANCED, ledger={**LEDGER, "sales": {"EUR": -1249, "JPY": -1980}})
    )
    assert sentence == "EUR: the shop's ledger does not balance, it sums to 1."


def test_a_ledger_that_booked_a_payment_twice_is_found() -> None:
    twice = {"provider": {"EUR": 2500, "JPY": 1980}, "sales": {"EUR": -2500, "JPY": -1980}}
    [sentence] = findings(replace(BALANCED, ledger=twice))
    assert "EUR: 1,250 were captured, but the shop's ledger has 2,500" in sentence
