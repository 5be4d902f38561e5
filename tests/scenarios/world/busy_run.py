"""A run with everything in it, for tests of determinism: ``python -m … SEED`` prints its digest."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import httpx

from scenarios.world import TINY, HostEnvironment, World
from tests.scenarios.world.helpers import answer, factory_of, post

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (id TEXT PRIMARY KEY, tries BIGINT)"


async def shop(environment: HostEnvironment) -> Any:
    database, random = environment.database, environment.random
    await database.apply_schema(SCHEMA)

    async def note(key: str) -> None:
        async with database.transaction() as transaction:
            await transaction.execute(
                "INSERT INTO notes VALUES (?, 1) "
                "ON CONFLICT (id) DO UPDATE SET tries = notes.tries + 1",
                key,
            )

    async def handle(scope: Any, receive: Any, send: Any) -> None:
        key = (await receive())["body"].decode()
        tasks = {asyncio.create_task(note(f"{key}-{n}"), name=f"{n}") for n in range(4)}
        done, _ = await asyncio.wait(tasks)
        names = ",".join(sorted({task.get_name() for task in done}))
        order = ",".join(task.get_name() for task in done)
        asked = await post(environment.transport, "http://psp/pay", f"{order} {names}".encode())
        await answer(send, asked.content + f" {random.randrange(1000)}".encode())

    return factory_of(handle)(environment)


async def psp(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await asyncio.sleep(0.01)
    await answer(send, message["body"])


def digest(seed: int) -> str:
    """Run ten customers against faults and return the digest of all that happened."""
    world = World(seed, disk_delays=TINY, trace_commits=True)
    world.add_host("psp", factory_of(psp))
    world.add_host("shop", shop)

    async def buy(number: int) -> None:
        transport = world.transport_for(f"customer {number}")
        for _ in range(8):
            try:
                await post(transport, "http://shop/orders", f"order {number}".encode(), read_s=2)
            except httpx.TransportError:
                await asyncio.sleep(1)
            else:
                return

    async def main() -> None:
        await world.start("psp", "shop")
        world.crash_at("shop", "commit", nth=7, down_s=0.5)
        world.crash_at("shop", "response", nth=3, when="after", down_s=0.5)
        world.pause("psp", for_s=0.2)
        async with asyncio.TaskGroup() as customers:
            for number in range(10):
                customers.create_task(buy(number))
        world.partition("shop", "psp")
        await asyncio.sleep(1)
        await world.heal()
        await buy(99)

    world.run(main())
    assert not world.application_errors or all(
        isinstance(failure.error, httpx.TransportError) for failure in world.application_errors
    )
    return world.trace.digest()


if __name__ == "__main__":
    sys.stdout.write(digest(int(sys.argv[1])))
