import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_sim.domain.errors import InvalidAmount, UnknownCurrency
from psp_sim.domain.money import AMOUNT_MINOR_MAX, DECIMALS, Money, parse_money


@pytest.mark.parametrize(
    ("amount_minor", "currency", "shown"),
    [
        (1099, "EUR", "10.99 EUR"),
        (5, "EUR", "0.05 EUR"),
        (1099, "JPY", "1099 JPY"),
        (1099, "KWD", "1.099 KWD"),
        (7, "BHD", "0.007 BHD"),
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(amount_minor, currency, shown):
    assert str(parse_money(amount_minor, currency)) == shown


def test_the_smallest_and_the_largest_amount_are_taken():
    assert parse_money(1, "USD") == Money(1, "USD")
    assert parse_money(AMOUNT_MINOR_MAX, "USD").amount_minor == AMOUNT_MINOR_MAX


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MINOR_MAX + 1, 10**30])
def test_an_amount_out_of_range_is_refused(amount):
    with pytest.raises(InvalidAmount, match="between 1 and 999999999999"):
        parse_money(amount, "EUR")


@pytest.mark.parametrize("amount", [10.99, 10.0, "1099", True, None, [1], {}])
def test_an_amount_that_is_no_whole_number_is_refused_with_what_it_means(amount):
    with pytest.raises(InvalidAmount, match=r"whole number of minor units.*1099 means 10\.99 EUR"):
        parse_money(amount, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "XXX", "ZZZ", "", None, 978, ["EUR"]])
def test_a_currency_that_is_no_active_code_is_refused(currency):
    with pytest.raises(UnknownCurrency, match="ISO 4217 code in capitals, like EUR"):
        parse_money(1, currency)


def test_every_currency_has_three_letters_and_stands_once():
    assert all(len(code) == 3 and code.isupper() for code in DECIMALS)
    assert len(DECIMALS) == 17 + 7 + sum(1 for decimals in DECIMALS.values() if decimals == 2)
    assert set(DECIMALS.values()) == {0, 2, 3}


@given(st.integers(1, AMOUNT_MINOR_MAX), st.sampled_from(sorted(DECIMALS)))
def test_what_is_shown_holds_every_minor_unit(amount_minor, currency):
    number, code = str(parse_money(amount_minor, currency)).split(" ")
    assert code == currency
    assert int(number.replace(".", "")) == amount_minor
    assert len(number.partition(".")[2]) == DECIMALS[currency]
