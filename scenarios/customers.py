"""Customers with addresses and baskets, made from a seed and from what the shop sells."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from faker import Faker

from scenarios.world.randomness import keyed_random


@functools.cache
def _faker() -> Faker:
    # Making one costs more than a whole run; reseeding it costs nothing.
    return Faker("en_US")


@functools.lru_cache(maxsize=10_000)
def _email(seed: int) -> str:
    # A search plays the same customers thousands of times.
    faker = _faker()
    faker.seed_instance(seed)
    return str(faker.email())


def order_of(seed: int, number: int, products: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what customer ``number`` (from 1) sends to the shop: one product, one currency."""
    chance = keyed_random(seed, "customer", number)
    email = _email(chance.getrandbits(32))
    product = products[chance.randrange(len(products))]
    return {
        "items": [{"sku": product["sku"], "quantity": chance.randint(1, 3)}],
        "email": email,
        "currency": product["currency"],
    }
