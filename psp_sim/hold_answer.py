"""An answer that is ready comes in and waits: for a time, or for a webhook to overtake it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from psp_sim.bell import TIMER_RESOLUTION_S, wait_for_ring
from psp_sim.domain.faults import Fault, Moment
from psp_sim.outbox import is_to_come
from psp_sim.provider import Provider


async def hold_answer(
    provider: Provider,
    hits: Sequence[tuple[str, Fault]],
    moment: Moment,
    payment_id: str | None,
) -> None:
    """Wait as the faults that hit this call ask; lifting one lets go of what it holds."""
    # Ids have the time in front: by those of payment or fault, no two runs would wait alike.
    place = (moment.operation or "", moment.order or 0, moment.attempt or 0)
    source = provider.chance.random("slow_response", *place)
    for fault_id, fault in hits:
        if fault.kind == "slow_response":
            await asyncio.sleep(provider.scaled(fault.fields["by"].draw(source)))
        if fault.kind == "hold_response":
            await _until_delivered(provider, fault_id, fault, payment_id)


def retry_after_s(provider: Provider, fault: Fault) -> int:
    """Return what a ``rate_limit`` asks for, in the whole seconds of the client's clock."""
    return math.ceil(provider.scaled(fault.fields["retry_after"]))


def payment_id_of(path: Mapping[str, Any], answer: bytes) -> str | None:
    """Return the payment that a call is about: named in its path, or just made."""
    if "payment_id" in path:
        return str(path["payment_id"])
    try:
        document = json.loads(answer)
    except ValueError:
        return None
    is_payment = isinstance(document, dict) and document.get("object") == "payment"
    return str(document["id"]) if is_payment else None


async def _until_delivered(
    provider: Provider, fault_id: str, fault: Fault, payment_id: str | None
) -> None:
    """Wait until the event has been delivered or never will be, or the fault is lifted."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + provider.scaled(fault.fields["by"])
    while not fault_id or provider.faults.is_in_force(fault_id):
        if ends_at - loop.time() < TIMER_RESOLUTION_S:
            return
        ring = provider.delivery_changed.next_ring()
        if payment_id is not None:
            async with provider.database.transaction() as transaction:
                if not await is_to_come(transaction, payment_id, None, fault.fields["until"]):
                    return
        await wait_for_ring(ring, ends_at - loop.time())
