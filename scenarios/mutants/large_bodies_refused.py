"""Stands behind a firewall that takes a large body for an attack.

People write: nothing at all; a middleware of the framework or a rule of the gateway has a limit
that was chosen for forms.
Breaks because an event grows with what it tells of, and the sender does not know of the limit.
Shows as a 403 to a genuine call that is merely large.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import PeerNotAllowed
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

_FORM_BYTES_MAX = 65_536


def verify_small_bodies(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check what is small enough to be looked at."""
    if len(webhook.body) > _FORM_BYTES_MAX:
        raise PeerNotAllowed("blocked by a rule about the size of bodies")
    verify(webhook, secrets, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "large_bodies_refused",
    "M46",
    "a middleware refuses genuine webhooks that are large",
    Parts(verify_webhook=verify_small_bodies),
)
