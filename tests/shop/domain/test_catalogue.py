"""Baskets and their price."""

import pytest

from shop.domain.catalogue import PRODUCTS, Item, price
from shop.domain.errors import MixedCurrencies, UnknownProduct


def test_a_basket_costs_the_sum_of_its_lines():
    assert price([Item("mug", 2), Item("poster", 1)]) == (4900, "EUR")


def test_the_currency_follows_from_the_products():
    assert price([Item("ramen-bowl", 1)]) == (1980, "JPY")
    assert price([Item("incense", 3)]) == (12750, "KWD")


def test_the_catalogue_has_currencies_with_none_two_and_three_decimals():
    assert {product.currency for product in PRODUCTS.values()} == {"EUR", "JPY", "KWD"}


def test_an_unknown_product_is_refused_by_name():
    with pytest.raises(UnknownProduct, match="'unicorn'"):
        price([Item("mug", 1), Item("unicorn", 1)])


def test_two_currencies_do_not_go_into_one_basket():
    with pytest.raises(MixedCurrencies, match="JPY, not EUR"):
        price([Item("mug", 1), Item("ramen-bowl", 1)])


def test_a_wanted_currency_has_to_be_the_products():
    with pytest.raises(MixedCurrencies, match="EUR, not USD"):
        price([Item("mug", 1)], "USD")
