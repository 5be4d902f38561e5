"""Believes whatever is POSTed to the webhook's address.

People write: a handler with the check commented out "until the secret is in the environment".
Breaks because the address is public: anybody can tell the shop that they have paid.
Shows as a 2xx to a call without a valid signature, and goods that leave without money.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts


def believe_everybody(
    _webhook: SignedWebhook, _secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Accept."""
    del now, tolerance_s


MUTANT = Mutant(
    "no_signature_check",
    "M18",
    "accepts webhooks without looking at their signature",
    Parts(verify_webhook=believe_everybody),
)
