"""Entries balance."""

import pytest

from shop.domain.ledger import Entry, Line, entry_for_capture
from shop.domain.payment import Payment


def test_a_capture_is_owed_by_the_provider_and_earned_by_sales():
    entry = entry_for_capture(Payment("pay_1", "succeeded", 4250, "KWD", "ord_1"))
    assert entry.lines == (Line("provider", 4250), Line("sales", -4250))
    assert (entry.id, entry.currency) == ("pay_1:captured", "KWD")


def test_an_entry_that_does_not_balance_cannot_be_made():
    with pytest.raises(AssertionError):
        Entry("e", "pay_1", "EUR", (Line("provider", 2), Line("sales", -1)))
