"""What rings in one process rings in every other on the same database.

A bell's ring is a hint and no message: whoever waits looks into the database, now and then without
one too, since a process can die between its commit and its ring.
"""

from __future__ import annotations

import asyncio
from functools import partial

from psp_sim.bell import Bell
from psp_sim.provider import Provider
from sqlport import Others

CHANNEL = "psp_sim"
# Rings within this time leave as one: thousands of changes a second are no reason for as many.
GATHER_S = 0.005
# Nobody rings for what a process has stored and then died over.
LOOK_FOR_OTHERS_S = 1.0


async def relay_rings(provider: Provider) -> None:
    """Tell the other processes of this one's rings, and ring for theirs, for ever."""
    others = provider.database.others
    assert others is not None, "started only where there can be others"
    me = provider.new_id("proc")
    rung: dict[str, None] = {}
    something_rang = Bell()
    for name, bell in provider.bells.items():
        bell.pass_on = partial(_note, rung, name, something_rang)
    async with asyncio.TaskGroup() as group:
        group.create_task(_tell(others, me, rung, something_rang))
        group.create_task(_hear(provider, others, me))


def look_again_in(provider: Provider, wait_s: float | None) -> float | None:
    """Return for how long to wait for a ring where others may have changed something silently."""
    if provider.database.others is None:
        return wait_s
    return LOOK_FOR_OTHERS_S if wait_s is None else min(wait_s, LOOK_FOR_OTHERS_S)


def _note(rung: dict[str, None], name: str, something_rang: Bell) -> None:
    rung[name] = None
    something_rang.ring()


async def _tell(others: Others, me: str, rung: dict[str, None], something_rang: Bell) -> None:
    while True:
        ring = something_rang.next_ring()
        if not rung:
            await ring.wait()
            await asyncio.sleep(GATHER_S)
        names = " ".join(rung)
        rung.clear()
        await others.tell(CHANNEL, f"{me} {names}")


async def _hear(provider: Provider, others: Others, me: str) -> None:
    async for text in others.listen(CHANNEL):
        sender, *names = text.split() or ["", *provider.bells]
        if sender != me:
            for name in names:
                if name in provider.bells:
                    provider.bells[name].echo()
