"""Measures the age of the event where it should measure the age of the call.

People write: ``if now - event["timestamp"] > 300: refuse``, taking the time inside the body for the
time of signing.
Breaks because a retry is signed afresh but tells of an old event: it can never be accepted again.
Shows as a 4xx to every genuine retry that comes later than the window is long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from scenarios.mutants.mutant import Mutant
from shop.domain.errors import OutsideTimeWindow
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts
from shop.wire import unix_time_of


def verify_age_of_event(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check the signature, and then how long ago the event happened."""
    verify(webhook, secrets, now=now, tolerance_s=tolerance_s)
    happened_at = unix_time_of(json.loads(webhook.body).get("timestamp"))
    if happened_at is not None and now - happened_at > tolerance_s:
        raise OutsideTimeWindow("the event is too old")


MUTANT = Mutant(
    "event_time_window",
    "M23",
    "takes the event's own time for the time of signing: late retries are refused",
    Parts(verify_webhook=verify_age_of_event),
)
