"""Who makes what the shop sells: a seed comes in; a workshop and its town for each come out."""

from __future__ import annotations

from functools import lru_cache

from shop.domain.catalogue import PRODUCTS


@lru_cache(maxsize=8)
def makers(seed: int) -> dict[str, str]:
    """Made-up makers by sku; the same seed makes up the same ones."""
    # Here and not above: a fifth of a second that no process has to wait for at its start.
    from faker import Faker

    faker = Faker("en_GB")
    faker.seed_instance(seed)
    return {sku: f"{faker.last_name()} & {faker.last_name()}, {faker.city()}" for sku in PRODUCTS}
