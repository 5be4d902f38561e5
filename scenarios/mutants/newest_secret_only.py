"""Knows one secret: the newest.

People write: ``WEBHOOK_SECRET`` in the environment, replaced when the secret is rotated.
Breaks because webhooks that were signed before the rotation are still on their way.
Shows as a 4xx to a genuine call that carries a signature by the previous secret only.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_with_newest(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check against the first of the secrets, which is the newest."""
    verify(webhook, secrets[:1], now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "newest_secret_only",
    "M25",
    "refuses what was signed with the previous secret while it is still in force",
    Parts(verify_webhook=verify_with_newest),
)
