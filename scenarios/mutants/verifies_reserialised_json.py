"""Verifies the JSON that it would have written, not the bytes that came.

People write: ``verify(json.dumps(request.json()))``, since the framework has parsed the body.
Breaks because JSON has many spellings: a space, an escape, 1.0 for 1; another one has another
signature.
Shows as a 4xx to a genuine call whose sender writes JSON in another way than the receiver would.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts


def verify_what_was_parsed(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check the signature of a body that nobody has sent."""
    try:
        text = json.dumps(json.loads(webhook.body), separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        text = ""
    verify(replace(webhook, body=text.encode()), secrets, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "verifies_reserialised_json",
    "M19",
    "checks the signature of the JSON as it would write it: another spelling is refused",
    Parts(verify_webhook=verify_what_was_parsed),
)
