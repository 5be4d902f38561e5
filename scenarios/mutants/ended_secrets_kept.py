"""Never forgets a secret: one that was rotated away is good for ever.

People write: a list of secrets to which each rotation adds one, and never come back to clean up.
Breaks because secrets are rotated when they may have leaked, and the end of the overlap is the day
on which a thief's copy is to become worthless.
Shows as a 2xx to a call that is signed with a secret whose overlap is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

# One memory per event loop, as a process would have.
_KNOWN: WeakKeyDictionary[asyncio.AbstractEventLoop, list[str]] = WeakKeyDictionary()


def verify_with_all_there_were(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check against each secret that was ever in force."""
    known = _KNOWN.setdefault(asyncio.get_running_loop(), [])
    known += [secret for secret in secrets if secret not in known]
    verify(webhook, known, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "ended_secrets_kept",
    "M25",
    "accepts what is signed with a secret whose overlap is over",
    Parts(verify_webhook=verify_with_all_there_were),
)
