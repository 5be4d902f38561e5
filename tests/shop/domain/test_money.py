"""Amounts as people read them."""

import pytest

from shop.domain.money import decimals_of, written_out


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (1250, "EUR", "12.50 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (1980, "JPY", "1980 JPY"),
        (-1980, "JPY", "-1980 JPY"),
        (4250, "KWD", "4.250 KWD"),
        (90071992547409931, "EUR", "900719925474099.31 EUR"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency(amount_minor, currency, expected):
    assert written_out(amount_minor, currency) == expected


def test_a_currency_that_is_not_special_has_two_decimals():
    assert (decimals_of("CHF"), decimals_of("JPY"), decimals_of("KWD")) == (2, 0, 3)
