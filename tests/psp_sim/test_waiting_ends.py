"""A wait ends with its time, also where the loop's timers round differently from its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

from psp_sim.bell import Bell
from psp_sim.long_poll import look_until
from scenarios.world.world import World


@asynccontextmanager
async def _transaction() -> AsyncIterator[None]:
    yield


def test_a_held_question_does_not_spin_in_its_last_microsecond() -> None:
    looks = 0

    async def look(_transaction: object) -> int:
        nonlocal looks
        looks += 1
        return 0

    async def ask_at_many_moments() -> None:
        database = SimpleNamespace(transaction=_transaction)
        stopping = asyncio.Event()
        provider = SimpleNamespace(event_stored=Bell(), database=database, stopping=stopping)
        for n in range(200):
            await asyncio.sleep(0.1 + n / 7_000_003)
            await look_until(provider, 0.3 + n / 999_983, look, bool)

    World(1, steps_per_instant_max=1000).run(ask_at_many_moments())
    assert looks == 400
