"""Refuses signatures that do not fit, and has nothing against a call that carries none.

People write: ``for signature in signatures: if not fits(signature): refuse``, so that a list
without an entry of the known scheme is gone through without an objection.
Breaks because an attacker chooses what to send: leaving the signature out is the easiest of all.
Shows as a 2xx to a call without a signature of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_if_signed(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Look at the signatures that are there."""
    if any(entry.startswith("v1,") for entry in webhook.signature.split(" ")):
        verify(webhook, secrets, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "unsigned_is_fine",
    "M24",
    "accepts a call that carries no signature of the scheme at all",
    Parts(verify_webhook=verify_if_signed),
)
