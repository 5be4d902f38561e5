"""Looks at the first signature of the header only.

People write: ``version, signature = header.split(" ")[0].split(",")``, since there was never more
than one when they looked.
Breaks because a call carries one signature for each secret in force. The first one is made with the
newest secret, which the shop may not know yet: the answer that tells it is still under way.
Shows as a 4xx to a genuine call while a rotation waits for its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_first(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check as if the header had one entry."""
    first, _, _ = webhook.signature.partition(" ")
    verify(replace(webhook, signature=first), secrets, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "first_signature_only",
    "M25",
    "looks at the first signature only, which is made with a secret that it may not know yet",
    Parts(verify_webhook=verify_first),
)
