"""Compares a signature as far as it goes.

People write: ``expected.startswith(given)``, or compare the first ``len(given)`` characters, since
headers get cut off somewhere on the way.
Breaks because an attacker decides how long a signature is, and an empty one fits everything.
Shows as a 2xx to a call whose signature is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import SignatureMismatch
from shop.domain.webhook_signature import SignedWebhook, signature_of, verify
from shop.parts import Parts


def verify_beginning(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check that a good signature begins as the given one does."""
    try:
        verify(webhook, secrets, now=now, tolerance_s=tolerance_s)
    except SignatureMismatch:
        offered = [entry[3:] for entry in webhook.signature.split(" ") if entry.startswith("v1,")]
        expected = [signature_of(webhook, secret).decode() for secret in secrets]
        if not any(each.startswith(one) for each in expected for one in offered):
            raise


MUTANT = Mutant(
    "signature_prefix_is_enough",
    "M24",
    "compares a signature as far as it goes: an empty one fits everything",
    Parts(verify_webhook=verify_beginning),
)
