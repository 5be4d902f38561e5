"""Long polling: look, and look again at every news, until there is enough or the time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from psp_sim.bell import TIMER_RESOLUTION_S, wait_for_ring
from psp_sim.provider import Provider
from sqlport import Transaction

Found = TypeVar("Found")


async def look_until(
    provider: Provider,
    wait_s: float,
    look: Callable[[Transaction], Awaitable[Found]],
    is_enough: Callable[[Found], bool],
) -> Found:
    """Return the first look that is enough, or the last one after ``wait_s`` real seconds.

    A provider that stops lets everybody go at once.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + wait_s
    while True:
        ring = provider.event_stored.next_ring()
        async with provider.database.transaction() as transaction:
            found = await look(transaction)
        left_s = ends_at - loop.time()
        if is_enough(found) or left_s < TIMER_RESOLUTION_S or provider.stopping.is_set():
            return found
        await wait_for_ring(ring, left_s)


def stop_waiting(provider: Provider) -> None:
    """Let go of everybody who waits for news: the provider stops."""
    provider.stopping.set()
    provider.event_stored.ring()
