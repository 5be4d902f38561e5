"""Reads the secrets once and keeps them for as long as it runs.

People write: ``SECRET = settings.webhook_secret`` at the top of a module, or ``@lru_cache`` around
whatever fetches it.
Breaks because a rotation gives a secret that the process never asks for. While the overlap lasts
nothing shows, since the old one signs too; when it ends, every webhook is refused.
Shows as a 4xx to genuine calls once the overlap of a rotation is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from scenarios.mutants.mutant import Mutant
from shop.domain.webhook_signature import SignedWebhook, verify
from shop.parts import Parts

# One memory per event loop, as a process would have.
_READ: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[str, ...]] = WeakKeyDictionary()


def verify_with_first_read(
    webhook: SignedWebhook, secrets: Sequence[str], *, now: float, tolerance_s: float
) -> None:
    """Check against the secrets that were in force at the first webhook."""
    known = _READ.setdefault(asyncio.get_running_loop(), tuple(secrets))
    verify(webhook, known, now=now, tolerance_s=tolerance_s)


MUTANT = Mutant(
    "secret_read_once",
    "M25",
    "keeps the secret of its start: when the overlap of a rotation ends, it refuses everything",
    Parts(verify_webhook=verify_with_first_read),
)
