"""What the shop sells and for how much: a basket comes in, its price or a refusal goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shop.domain.errors import MixedCurrencies, UnknownProduct


@dataclass(frozen=True, slots=True)
class Product:
    """Something for sale; the price is in minor units of its currency."""

    sku: str
    name: str
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a basket."""

    sku: str
    quantity: int


PRODUCTS = {
    product.sku: product
    for product in (
        Product("mug", "Stoneware mug", 1250, "EUR"),
        Product("notebook", "Dotted notebook", 990, "EUR"),
        Product("poster", "Letterpress poster", 2400, "EUR"),
        Product("sticker", "Sticker", 50, "EUR"),
        Product("pencils", "Twelve cedar pencils", 1490, "EUR"),
        Product("candle", "Beeswax candle", 1850, "EUR"),
        Product("tote", "Linen tote bag", 1600, "EUR"),
        Product("vase", "Celadon vase", 4900, "EUR"),
        Product("ramen-bowl", "Ramen bowl", 1980, "JPY"),
        Product("chopsticks", "Cherry wood chopsticks", 880, "JPY"),
        Product("teapot", "Cast iron teapot", 7200, "JPY"),
        Product("wrapping-cloth", "Indigo wrapping cloth", 2400, "JPY"),
        Product("incense", "Frankincense", 4250, "KWD"),
        Product("coffee-pot", "Brass coffee pot", 18500, "KWD"),
        Product("dates", "Box of Khalas dates", 2750, "KWD"),
    )
}


def price(items: Sequence[Item], wanted_currency: str | None = None) -> tuple[int, str]:
    """Return (total in minor units, currency) of a basket of at least one item.

    Raises UnknownProduct, or MixedCurrencies when the items, or the currency that the customer
    wants, do not agree: an order has one currency and this shop does not convert.
    """
    total_minor, currency = 0, wanted_currency
    for item in items:
        product = PRODUCTS.get(item.sku)
        if product is None:
            raise UnknownProduct(f"there is no product {item.sku!r}: GET /products lists them")
        if currency is None:
            currency = product.currency
        if product.currency != currency:
            raise MixedCurrencies(
                f"{item.sku!r} is sold in {product.currency}, not {currency}: "
                "order the products of one currency at a time"
            )
        total_minor += product.price_minor * item.quantity
    assert currency is not None, "a basket has at least one item"
    return total_minor, currency
