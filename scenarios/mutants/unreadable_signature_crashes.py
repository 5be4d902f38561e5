"""Decodes the signature without a thought that it may not be base64.

People write: ``base64.b64decode(signature, validate=True)`` and catch only their own error.
Breaks because a stranger decides what stands in the header, and an exception that nobody catches
is a 500: an alarm at night, and for the provider a reason to disable the endpoint.
Shows as a 5xx to a call that has to be refused with 4xx.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_decoded(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Decode first: what is no base64 raises an error that is nobody's."""
    for entry in webhook.signature.split():
        _scheme, signature = entry.split(",")
        base64.b64decode(signature, validate=True)
    verify(webhook, secrets, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "unreadable_signature_crashes",
    "M26",
    "answers 500 to a signature that cannot be decoded",
    Parts(verify_webhook=verify_decoded),
)
