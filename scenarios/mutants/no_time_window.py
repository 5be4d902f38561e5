"""Checks the signature and not when it was made.

People write: an HMAC over id, time and body, compared correctly, with the time only signed.
Breaks because a captured webhook stays valid for ever and can be sent again by anybody.
Shows as a 2xx to a correctly signed call with an old timestamp.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

_ANY_TIME_S = 1e15


def verify_at_any_time(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check everything but the time."""
    del tolerance_s
    verify(webhook, secrets, now=now, tolerance_s=_ANY_TIME_S)


MUTANT = Mutant(
    "no_time_window",
    "M21",
    "accepts a correctly signed webhook of any age",
    Parts(verify_webhook=verify_at_any_time),
)
