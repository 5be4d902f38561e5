"""How providers sign and shape webhooks: one dialect per file, found here by its name."""

from __future__ import annotations

from psp_sim.domain.dialects.adyen import Adyen
from psp_sim.domain.dialects.dialect import Dialect
from psp_sim.domain.dialects.github import GitHub
from psp_sim.domain.dialects.rfc9421 import Rfc9421
from psp_sim.domain.dialects.shopify import Shopify
from psp_sim.domain.dialects.square import Square
from psp_sim.domain.dialects.standard import Standard
from psp_sim.domain.dialects.standard_v1a import StandardV1a
from psp_sim.domain.dialects.stripe import Stripe
from psp_sim.domain.errors import InvalidRequest

STANDARD = "standard"

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Standard(),
        StandardV1a(),
        Stripe(),
        Adyen(),
        Square(),
        Shopify(),
        GitHub(),
        Rfc9421(),
    )
}


def dialect_named(name: str) -> Dialect:
    """Return a dialect. Raises InvalidRequest naming those that there are."""
    if name not in DIALECTS:
        raise InvalidRequest(f"dialect {name!r} is not known: use one of {', '.join(DIALECTS)}")
    return DIALECTS[name]
