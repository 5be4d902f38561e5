"""What a run drops goes at once, since the collector is off meanwhile; its world goes soon."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from typing import Any

import httpx
import pytest

from scenarios.mutants import CORRECT
from scenarios.scenario_files import select
from scenarios.targets.simulated import play_simulated
from scenarios.world import World
from scenarios.world.disk import Disk
from scenarios.world.transport import Address
from tests.scenarios.world.helpers import factory_of, post, say_ok


async def _by_httpx(transport: Any) -> None:
    await post(transport, "http://shop:80/")


async def _by_plain_call(transport: Any) -> None:
    await transport.call("POST", Address("shop", 80, "/"), [], b"", 2.0, 5.0)


def _garbage_after(failures: int, call: Any) -> int:
    """Return how many objects only the collector can free after so many failed calls."""
    world, found = World(1), []
    world.add_host("shop", factory_of(say_ok))

    async def run() -> None:
        gc.collect()
        for _ in range(failures):
            try:
                await call(world.transport_for())
            except httpx.ConnectError:
                await asyncio.sleep(1.0)
        found.append(gc.collect())

    world.run(run())
    return int(found[0])


@pytest.mark.parametrize("call", [_by_httpx, _by_plain_call])
def test_failed_calls_leave_nothing_behind(call: Any) -> None:
    assert _garbage_after(200, call) <= _garbage_after(10, call) + 20


def test_a_disk_that_caches_commits_keeps_no_more_images_than_it_can_need(
    request: pytest.FixtureRequest,
) -> None:
    disk = Disk("shop")
    gc.collect()
    others = _open_databases()
    gc.disable()
    request.addfinalizer(gc.enable)
    disk.cache_commits(2)
    for _ in range(50):
        disk.committed()
    assert _open_databases() - others == 1 + 3
    disk.close()
    assert _open_databases() - others <= 1


def _open_databases() -> int:
    """Memory of SQLite that is held; a closed connection holds none, freed or not."""
    connections = (one for one in gc.get_objects() if isinstance(one, sqlite3.Connection))
    return sum(_is_open(connection) for connection in connections)


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.total_changes  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_world_is_freed_before_the_one_after_the_next_is_made() -> None:
    (scenario,) = select(["calm"])
    # Worlds of tests before this one may be kept by what pytest remembers of them.
    kept_by_others = _worlds()
    for seed in range(5):
        play_simulated(scenario, seed, CORRECT)
    assert _worlds() - kept_by_others <= 2


def _worlds() -> int:
    return sum(isinstance(one, World) for one in gc.get_objects())
