"""Asks the provider for its events without saying how long it is willing to wait.

People write: ``requests.get(url)``: without a timeout it waits for ever.
Breaks because a network can swallow an answer without a word. The call never ends, and neither does
the job that made it, so the next one never begins.
Shows as books that miss what no webhook told, after one answer to the housekeeping job got lost.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.parts import Parts
from shop.ports import Reconciliation, Shop
from shop.psp_client import PspClient
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import read_event_log

_NO_TIMEOUT_S = 365 * 86400.0


async def read_patiently(shop: Shop) -> int:
    """Read the log over a client that never gives up."""
    settings = shop.settings
    patient = PspClient(
        shop.transport, base_url=settings.psp, key=settings.psp_key, timeout_s=_NO_TIMEOUT_S
    )
    return await read_event_log(replace(shop, provider=patient))


MUTANT = Mutant(
    "waits_without_end",
    "M52",
    "asks without a timeout: an answer that gets lost ends its housekeeping for good",
    Parts(reconcile=Reconciliation(ask_provider, read_patiently)),
)
