"""Refuses whatever is more than a minute away from its own clock.

People write: ``TOLERANCE = 60``, or five seconds, since machines have the right time these days.
Breaks because some have not: a clock that is minutes off turns every genuine webhook away.
Shows as a 4xx to genuine calls while the shop's clock is wrong, within what the specification's own
libraries bear.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

_TOLERANCE_S = 60.0


def verify_strictly(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check as if clocks were always right."""
    verify(webhook, secrets, now=now, tolerance_s=min(tolerance_s, _TOLERANCE_S))


MUTANT = Mutant(
    "tight_time_window",
    "M23",
    "refuses genuine webhooks while its clock is a few minutes off",
    Parts(verify_webhook=verify_strictly),
)
