"""Knows two secrets: the newest, and the one before it.

People write: ``WEBHOOK_SECRET`` and ``WEBHOOK_SECRET_OLD``, one of them moved when it is rotated.
Breaks because two rotations can lie within one overlap, as when the first one's answer was lost
and somebody pressed the button again; the provider has promised every secret its own end.
Shows as a 4xx to a genuine call that was signed before both of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_with_two(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check against the newest secret and the one that it has replaced."""
    verify(webhook, secrets[:2], now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "two_secrets_only",
    "M25",
    "refuses what was signed before the last two rotations though that secret is still in force",
    Parts(verify_webhook=verify_with_two),
)
