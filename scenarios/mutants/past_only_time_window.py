"""Refuses webhooks that are too old, and takes any from the future.

People write: ``if now - timestamp > 300: refuse``; a well known provider's own library does.
Breaks because a sender whose clock runs ahead makes signatures that can be replayed for that much
longer.
Shows as a 2xx to a correctly signed call with a timestamp far in the future.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import OutsideTimeWindow
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

_ANY_TIME_S = 1e15


def verify_not_too_old(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check everything, but the time in one direction only."""
    verify(webhook, secrets, now=now, tolerance_s=_ANY_TIME_S)
    if now - int(webhook.timestamp) > tolerance_s:
        raise OutsideTimeWindow("the webhook is too old")


MUTANT = Mutant(
    "past_only_time_window",
    "M22",
    "accepts a correctly signed webhook from any time in the future",
    Parts(verify_webhook=verify_not_too_old),
)
