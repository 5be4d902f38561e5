"""Faults of the world on a stranger's service wait until there is somebody whom they hurt."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx

from scenarios.targets.embedded_provider import Line
from scenarios.targets.service_control import ServiceControl
from scenarios.targets.service_process import ServiceProcess
from scenarios.targets.warehouse_door import WarehouseDoor
from scenarios.vocabulary import parse_planned_fault


class Service:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.died = None

    def kill(self) -> None:
        self.told.append("killed")

    def pause(self) -> None:
        self.told.append("paused")

    def resume(self) -> None:
        self.told.append("resumed")

    async def start(self) -> None:
        self.told.append("started")

    async def wait_until_gone(self) -> None:
        pass

    async def wait_until_ready(self) -> None:
        self.told.append("ready")


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def control_of(service: Service) -> tuple[ServiceControl, WarehouseDoor]:
    door, clock = WarehouseDoor(_app), iter(range(1000))
    made = ServiceControl(
        cast(ServiceProcess, service),
        Line(),
        door,
        answers_within_s=0.0,
        scaled=lambda seconds: seconds / 1000,
        now=lambda: float(next(clock)),
    )
    return made, door


def begin(control: ServiceControl, kind: str, **fields: Any) -> None:
    control.begin(parse_planned_fault({"kind": kind, **fields}))


async def webhook(control: ServiceControl, status: int = 200) -> None:
    await control.before_request()
    await control.after_response(httpx.Response(status))


async def call(door: WarehouseDoor) -> None:
    async def ignore(_: Any) -> None:
        pass

    await door({"type": "http"}, cast(Any, None), ignore)


async def test_a_pause_begins_with_the_next_webhook() -> None:
    service = Service()
    control, _ = control_of(service)
    begin(control, "pause", **{"for": "1ms"})
    await asyncio.sleep(0.01)
    assert (service.told, control.fired(), control.began_at()) == ([], [0], [None])
    await webhook(control)
    assert (service.told, control.fired()) == (["paused"], [1])
    await webhook(control)
    await control.heal()
    assert service.told == ["paused", "resumed", "ready"]
    assert control.ended_at() != [None]


async def test_a_pause_to_which_no_webhook_came_is_over_with_the_healing() -> None:
    service = Service()
    control, _ = control_of(service)
    begin(control, "pause")
    await control.heal()
    await webhook(control)
    assert (service.told, control.fired()) == (["ready"], [0])


async def test_a_crash_at_a_time_waits_until_an_orders_webhooks_have_been_taken() -> None:
    service = Service()
    control, _ = control_of(service)
    begin(control, "crash", **{"for": "1ms"})
    await webhook(control)
    await webhook(control, 503)
    assert (service.told, control.fired()) == ([], [0])
    await webhook(control)
    assert (service.told, control.fired()) == (["killed"], [1])
    await control.heal()
    assert service.told[:3] == ["killed", "started", "ready"]
    (began_at,), (ended_at,) = control.began_at(), control.ended_at()
    assert began_at is not None
    assert ended_at is not None
    assert began_at < ended_at


async def test_a_crash_at_a_time_comes_at_once_where_webhooks_have_been_taken_before() -> None:
    service = Service()
    control, _ = control_of(service)
    await webhook(control)
    await webhook(control)
    begin(control, "crash", **{"for": "1ms"})
    assert service.told == ["killed"]
    await control.heal()


async def test_a_warehouse_stands_still_for_its_time_from_the_first_call_on() -> None:
    control, door = control_of(Service())
    begin(control, "pause", host="warehouse", **{"for": "1ms"})
    await asyncio.sleep(0.02)
    assert control.is_busy()
    await asyncio.wait_for(call(door), 5)
    assert control.fired() == [1]
    await asyncio.wait_for(call(door), 5)
    assert control.fired() == [1]
