"""The harness asks again only where the answer can have become another one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scenarios.targets.simulated_api import SimulatedApi
from scenarios.world import HostEnvironment, World


class Notes:
    """A service with one table, which counts the questions that reach it."""

    def __init__(self) -> None:
        self.asked = 0

    async def app(self, environment: HostEnvironment) -> Starlette:
        database = environment.database
        await database.apply_schema("CREATE TABLE IF NOT EXISTS notes (text TEXT)")

        async def show(_: Request) -> Response:
            self.asked += 1
            async with database.transaction() as transaction:
                rows = await transaction.fetch_all("SELECT text FROM notes")
            return JSONResponse([row["text"] for row in rows])

        async def add(_: Request) -> Response:
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO notes VALUES ('more')")
            return JSONResponse({}, 201)

        return Starlette(
            routes=[
                Route("/notes", show),
                Route("/_control/notes", show),
                Route("/notes", add, methods=["POST"]),
            ]
        )


def played(scene: Any) -> int:
    """Return how many questions reached the service."""
    world, notes = World(1), Notes()
    world.add_host("shop", notes.app)
    api = SimulatedApi("http://shop:80", world.transport_for(), 5.0, {}, world.host("shop"))

    async def run() -> None:
        await world.start("shop")
        await scene(world, api)

    world.run(run())
    return notes.asked


def test_a_host_that_has_stored_nothing_is_not_asked_again() -> None:
    async def scene(_: World, api: SimulatedApi) -> None:
        assert await api.get("/notes") == await api.get("/notes") == []

    assert played(scene) == 1


def test_what_was_stored_is_seen() -> None:
    async def scene(_: World, api: SimulatedApi) -> None:
        assert await api.get("/notes") == []
        await api.call("POST", "/notes")
        assert await api.get("/notes") == ["more"]

    assert played(scene) == 2


def test_a_new_life_of_the_host_is_asked() -> None:
    async def scene(world: World, api: SimulatedApi) -> None:
        await api.get("/notes")
        await world.restart("shop")
        await api.get("/notes")

    assert played(scene) == 2


@pytest.mark.parametrize("how", ["crash", "pause"])
def test_a_host_that_does_not_run_does_not_answer(how: str) -> None:
    async def scene(world: World, api: SimulatedApi) -> None:
        await api.get("/notes")
        getattr(world, how)("shop")
        with pytest.raises(httpx.TransportError):
            await api.get("/notes")
        world.resume("shop")

    assert played(scene) in (1, 2)


def test_control_which_answers_from_memory_is_asked_each_time() -> None:
    async def scene(_: World, api: SimulatedApi) -> None:
        await api.get("/_control/notes")
        await api.get("/_control/notes")

    assert played(scene) == 2
