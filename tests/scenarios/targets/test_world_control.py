"""The world's faults begin, act, are counted, and are gone when the world is healed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from scenarios.targets.world_control import SimulatedWorldControl
from scenarios.vocabulary import parse_planned_fault
from scenarios.warehouse import Warehouse
from scenarios.world.hosts import HostState
from scenarios.world.rules import Message, Pass, Unreachable
from scenarios.world.transport import Address
from scenarios.world.world import START_2026, World
from tests.scenarios.world.helpers import factory_of, run_in, say_ok

Act = Any


def play(act: Act) -> None:
    world = World(1)
    control = SimulatedWorldControl(world, Warehouse(world.now))

    async def main(transport: Any) -> None:
        await act(world, control)

    hosts = [(name, factory_of(say_ok)) for name in ("shop", "psp", "warehouse")]
    run_in(world, *hosts, main=main)


def begin(control: SimulatedWorldControl, **fault: Any) -> None:
    control.begin(parse_planned_fault(fault))


def test_a_restart_is_graceful_and_ends_by_itself() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="restart", host="shop", **{"for": "5s"})
        await asyncio.sleep(1.0)
        assert world.host("shop").state is HostState.DOWN
        await asyncio.sleep(5.0)
        assert world.host("shop").state is HostState.RUNNING
        assert control.fired() == [1]

    play(act)


def test_who_is_away_already_is_not_asked_to_restart() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        for _ in range(2):
            begin(control, kind="restart", host="shop", **{"for": "5s"})
        begin(control, kind="crash", host="psp", **{"for": "3s"})
        begin(control, kind="restart", host="psp", **{"for": "1h"})
        await asyncio.sleep(6.0)
        assert control.fired() == [1, 0, 1, 0]
        assert control.began_at() == [START_2026, None, START_2026, None]
        assert {host.state for host in world.hosts.values()} == {HostState.RUNNING}

    play(act)


def test_who_crashes_while_it_restarts_comes_back_as_after_any_crash() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="restart", host="shop", **{"for": "1h"})
        await asyncio.sleep(0)
        assert world.host("shop").state is HostState.STOPPING
        begin(control, kind="crash", host="shop", **{"for": "3s"})
        await asyncio.sleep(4.0)
        assert world.host("shop").state is HostState.RUNNING
        await control.heal()
        assert world.loop.time() < 60.0

    play(act)


def test_healing_waits_for_a_restart_that_is_under_way() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="restart", host="shop", **{"for": "1h"})
        await control.heal()
        assert world.host("shop").state is HostState.RUNNING

    play(act)


@pytest.mark.parametrize(("by", "seconds"), [("4m", 240.0), ("-4m", -240.0)])
def test_a_clock_is_wrong_for_a_while(by: str, seconds: float) -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="skew", host="shop", by=by, **{"for": "10s"})
        assert world.clock_for("shop").now() - world.now() == pytest.approx(seconds)
        assert world.clock_for("psp").now() == world.now()
        await asyncio.sleep(11.0)
        assert world.clock_for("shop").now() == world.now()

    play(act)


def test_of_two_wrong_clocks_the_later_counts_and_each_ends_at_its_own_time() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="skew", host="shop", by="1m", **{"for": "10s"})
        begin(control, kind="skew", host="shop", by="2m", **{"for": "5s"})
        begin(control, kind="skew", host="shop", by="3m", **{"for": "20s"})
        off_s = []
        for _ in range(3):
            off_s.append(world.clock_for("shop").now() - world.now())
            await asyncio.sleep(8.0)
        assert off_s == pytest.approx([180.0, 180.0, 180.0])
        assert world.clock_for("shop").now() == world.now()
        begin(control, kind="skew", host="shop", by="1m", **{"for": "10s"})
        begin(control, kind="skew", host="shop", by="2m", **{"for": "5s"})
        await asyncio.sleep(6.0)
        assert world.clock_for("shop").now() - world.now() == pytest.approx(60.0)

    play(act)


def test_a_healed_clock_is_right() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="skew", host="shop", by="4m", **{"for": "1d"})
        await control.heal()
        assert world.clock_for("shop").now() == world.now()

    play(act)


def test_a_slow_line_is_slow_both_ways_for_a_while_and_counts_what_it_held_up() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        begin(control, kind="latency", between=["shop", "warehouse"], by="2s", **{"for": "10s"})
        transport = world.host("shop")._environment(world.host("shop").incarnation).transport
        for expected_s, acted in ((4.0, 2), (0.0, 2)):
            began = world.now()
            address = Address("warehouse", 8082, "/")
            answer = await transport.call("GET", address, [(b"host", b"x")], b"", 30.0, 30.0)
            assert answer.status == 200
            assert world.now() - began == pytest.approx(expected_s, abs=0.1)
            assert control.fired() == [acted]
            await asyncio.sleep(10.0)

    play(act)


def test_a_crash_at_a_point_that_never_comes_has_never_begun() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        await asyncio.sleep(3.0)
        begin(control, kind="power_loss", host="shop")
        begin(control, kind="crash", host="psp", at={"site": "commit", "nth": 99})
        assert control.began_at() == [START_2026 + 3.0, None]
        assert control.fired() == [1, 0]

    play(act)


def test_of_two_equal_faults_each_ends_at_its_own_time() -> None:
    async def act(world: World, control: SimulatedWorldControl) -> None:
        cut: dict[str, Any] = {"kind": "partition", "between": ["shop", "warehouse"]}
        begin(control, **cut, **{"for": "3s"})
        begin(control, **cut, **{"for": "1s"})
        message = Message("shop", "warehouse", "request", "POST", "/", "shop>warehouse POST /")
        await asyncio.sleep(2.0)
        assert isinstance(world.network.rules.decide(message), Unreachable)
        await asyncio.sleep(1.5)
        assert isinstance(world.network.rules.decide(message), Pass)
        assert control.fired() == [1, 0]

    play(act)


def test_a_warehouse_turns_callers_away_for_a_while_and_takes_nothing_on() -> None:
    world = World(1)
    warehouse = Warehouse(world.now)
    control = SimulatedWorldControl(world, warehouse)

    async def main(transport: Any) -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://warehouse") as client:

            async def answered() -> int:
                answer = await client.post("/fulfilments", json={"order": "o1"})
                return answer.status_code

            begin(control, kind="turn_away", **{"for": "30s"})
            begin(control, kind="turn_away", **{"for": "5s"})
            assert await answered() == 503
            await asyncio.sleep(10.0)
            assert await answered() == 503
            assert control.fired() == [2, 2]
            assert not warehouse.shipments
            await asyncio.sleep(30.0)
            assert await answered() == 200
            begin(control, kind="turn_away", **{"for": "1h"})
            await control.heal()
            assert await answered() == 200
            assert control.fired() == [2, 2, 0]
            assert len(warehouse.shipments) == 2

    run_in(world, ("warehouse", lambda _: warehouse.app), main=main)
