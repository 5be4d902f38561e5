"""Money that goes back: what was asked for, no more and no less, and what may follow from it."""

from __future__ import annotations

import pytest

from scenarios.evidence import Disturbance, Shipment
from scenarios.invariants import INVARIANTS
from tests.scenarios.evidence_of import PACE, delivery, evidence, order, payment


def test_no_more_is_given_back_than_was_asked_for() -> None:
    refunds = [{"id": f"re_{n}", "amount": 300, "status": "succeeded"} for n in (1, 2)]
    wished = order(1)
    wished.refunds_wished.append(300)
    check = INVARIANTS["charged_once"].check
    assert not check(evidence(orders=[wished], payments=[payment(refunds=refunds[:1])])).violations
    (violation,) = check(evidence(orders=[wished], payments=[payment(refunds=refunds)])).violations
    assert "600 EUR (minor units) were given back, and 300 were asked for" in violation


def test_no_less_is_given_back_than_was_asked_for() -> None:
    wished = order(1, "fulfilled", "partially_refunded")
    wished.refunds_wished += [300, 300]
    once = payment(refunds=[{"id": "re_1", "amount": 300, "status": "succeeded"}])
    check = INVARIANTS["charged_once"].check
    (violation,) = check(evidence(orders=[wished], payments=[once])).violations
    assert "300 EUR (minor units) were given back, and 600 were asked for" in violation
    lost = Disturbance("power_loss", frozenset({"shop"}), 0.0, 9.0, forgets=True)
    excused = [
        {"payments": [once | {"disputes": [{"status": "won"}]}]},
        {"payments": [once | {"status": "failed"}]},
        {"payments": [once], "disturbances": [lost]},
    ]
    for run in excused:
        assert not check(evidence(orders=[wished], **run)).violations


def failed_again(*attempt: tuple[int, list[str]]) -> dict[str, object]:
    """A delivery that tells that the bank took the money of the first order back."""
    return delivery(*attempt) | {"type": "payment.failed"}


@pytest.mark.parametrize(
    ("changes", "breaks"),
    [
        ({}, True),
        ({"shipments": [Shipment(9.0, "ord_1", "ful_1")]}, False),
        ({"deliveries": [failed_again((500, []))]}, False),
        ({"deliveries": [failed_again((200, ["wrong_secret"]))]}, False),
        ({"pace": None}, False),
        ({"disturbances": [Disturbance("pause", frozenset({"shop"}), 5.0, 20.0)]}, False),
        ({"disturbances": [Disturbance("pause", frozenset({"warehouse"}), 5.0, 20.0)]}, False),
        ({"disturbances": [Disturbance("partition", frozenset({"shop"}), 5.0, 20.0)]}, True),
    ],
)
def test_goods_that_leave_when_the_shop_knows_that_the_money_is_gone(changes, breaks) -> None:
    run = {
        "orders": [order(1, "pending", "reversed")],
        "payments": [payment(status="failed", failure={"code": "debit_returned"})],
        "deliveries": [failed_again((200, []))],
        "shipments": [Shipment(30.0, "ord_1", "ful_1")],
        "pace": PACE,
    }
    found = INVARIANTS["fulfilled_only_if_captured"].check(evidence(**run | changes))
    assert bool(found.violations) is breaks, found.violations


def test_money_that_went_back_is_no_longer_owed() -> None:
    refunded = payment(amount_captured=1000, amount_refunded=300, disputes=[])
    books = {"provider": {"EUR": 700}, "sales": {"EUR": -700}}
    check = INVARIANTS["money_balances"].check
    assert not check(evidence(payments=[refunded], ledger=books)).violations
    assert check(evidence(payments=[refunded])).violations
    lost = payment(disputes=[{"amount": 1000, "status": "lost"}])
    nothing = {"provider": {"EUR": 0}, "sales": {"EUR": 0}}
    assert not check(evidence(payments=[lost], ledger=nothing)).violations


def test_a_refund_after_the_goods_left_takes_nothing_back() -> None:
    corrected = evidence(orders=[order(1, "paid", "fulfilled", "refunded")])
    assert not INVARIANTS["status_never_goes_back"].check(corrected).violations


@pytest.mark.parametrize(
    ("correction", "is_broken"),
    [
        ({"disputes": [{"amount": 1000, "status": "won"}]}, False),
        ({"refunds": [{"amount": 1000, "status": "failed"}]}, False),
        ({"disputes": [{"amount": 1000, "status": "lost"}]}, True),
        ({}, True),
    ],
)
def test_an_order_leaves_a_correction_only_when_that_was_undone(correction, is_broken) -> None:
    back = [order(1, "paid", "fulfilled", "disputed", "fulfilled")]
    seen = evidence(orders=back, payments=[payment(**correction)])
    assert bool(INVARIANTS["status_never_goes_back"].check(seen).violations) is is_broken


def test_money_that_the_bank_took_back_after_the_goods_left_breaks_no_promise() -> None:
    returned = payment(status="failed", failure={"code": "debit_returned"})
    seen = evidence(orders=[order(1, "paid", "fulfilled", "reversed")], payments=[returned])
    declined = payment(status="failed", failure={"code": "card_declined"})
    wrong = evidence(orders=[order(1, "paid", "fulfilled", "reversed")], payments=[declined])
    for name in ("fulfilled_only_if_captured", "shop_agrees_with_provider"):
        assert not INVARIANTS[name].check(seen).violations
        assert INVARIANTS[name].check(wrong).violations


def test_an_order_that_the_shop_does_not_know_is_missed_unless_its_money_was_given_back() -> None:
    check = INVARIANTS["every_capture_is_fulfilled"].check
    gone = payment(2, reference="ord_2")
    found = check(evidence(payments=[payment(1), gone], unknown_orders=["ord_2"]))
    assert found.violations == ["order ord_2 was paid for, and the shop has no such order"]
    given_back = [payment(1), gone | {"amount_refunded": 1000}]
    assert not check(evidence(payments=given_back, unknown_orders=["ord_2"])).violations
