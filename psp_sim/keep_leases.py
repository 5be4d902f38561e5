"""Deliveries that one of several processes is sending: its own for a while, then anybody's."""

from __future__ import annotations

import asyncio

from psp_sim.database_away import tell_if_away
from psp_sim.lanes import Lanes
from psp_sim.outbox import Job, extend_lease
from psp_sim.provider import Provider

# Each delivery's task, with what it sends and when its lease was last given (Unix seconds).
UnderWay = dict[asyncio.Task[None], tuple[Job, float]]

RENEWALS_PER_LEASE = 3


def lease_until(provider: Provider) -> float | None:
    """Return when a lease taken now ends; None where no other process could take it over."""
    if provider.database.others is None:
        return None
    return provider.clock.now() + provider.settings.lease_s


async def keep_leases(provider: Provider, lanes: Lanes, under_way: UnderWay) -> None:
    """Renew the leases of what takes long, for ever: held back by a fault, or by its endpoint."""
    if provider.database.others is None:
        return
    period_s = provider.settings.lease_s / RENEWALS_PER_LEASE
    while True:
        await asyncio.sleep(period_s)
        try:
            await _renew(provider, lanes, under_way, period_s)
        except Exception as problem:
            # A database that comes back soon enough has the leases still.
            if not tell_if_away("the renewal of leases", problem):
                raise


async def _renew(provider: Provider, lanes: Lanes, under_way: UnderWay, period_s: float) -> None:
    now = provider.clock.now()
    ageing = [item for item in under_way.items() if now - item[1][1] >= period_s]
    lost = []
    async with provider.database.transaction() as transaction:
        for task, (job, _) in ageing:
            if not await extend_lease(transaction, job, now + provider.settings.lease_s):
                lost.append(task)
    for task, (job, _) in ageing:
        if task in under_way:
            under_way[task] = (job, now)
    for task in lost:
        # Another process has it by now, or nobody wants it any more.
        if task not in lanes.calling:
            task.cancel()
