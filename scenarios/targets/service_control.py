"""The world's faults where the world is real: a service is killed, paused, or cut off.

The warehouse is ours, and so can be slow or stand still.

Crashes aim at webhooks, since those pass through our hands. What happens inside the service, like
its commits, cannot be aimed at.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx

from scenarios.evidence import Incident
from scenarios.targets.embedded_provider import Line, WebhookWatch
from scenarios.targets.service_process import ServiceProcess
from scenarios.targets.warehouse_door import WarehouseDoor
from scenarios.vocabulary import PlannedFault


@dataclass(slots=True)
class ArmedCrash:
    """A crash that waits for the nth passage of its site, counted from when it was armed."""

    site: str
    when: str
    nth: int
    down_s: float
    seen: int = 0
    fired: bool = False

    def is_due(self, site: str) -> bool:
        """Count a passage; tell whether it is the one."""
        if self.site != site:
            return False
        self.seen += 1
        return self.seen == self.nth


class ServiceControl(WebhookWatch):
    """Begins faults, tells how often each acted, and heals; a ``scenarios.stage.WorldControl``.

    ``answers_within_s`` is when the provider gives a webhook up: a pause lasts longer than that,
    and so does an answer of a slow warehouse. ``scaled`` turns the scenario's seconds into real
    ones; ``now`` is in Unix seconds.
    """

    def __init__(
        self,
        service: ServiceProcess | None,
        line: Line,
        door: WarehouseDoor,
        answers_within_s: float,
        scaled: Callable[[float], float],
        now: Callable[[], float],
    ) -> None:
        self._service = service
        self._line = line
        self._door = door
        self._longer_than_asked_s = 1.2 * answers_within_s
        self._scaled = scaled
        self._now = now
        self._armed: list[ArmedCrash] = []
        self._counters: list[Callable[[], int]] = []
        self._moments: list[float] = []
        self._endings: set[asyncio.Task[None]] = set()
        self._incidents: list[Incident] = []
        self._is_healed = asyncio.Event()

    def begin(self, fault: PlannedFault) -> None:
        """Let the fault happen now, or arm it for the webhook that it names."""
        begin = {
            "crash": self._begin_crash,
            "pause": self._begin_pause,
            "partition": self._begin_partition,
            "latency": self._begin_latency,
        }[fault.kind]
        self._moments.append(self._now())
        self._counters.append(begin(fault))

    async def heal(self) -> None:
        """End all faults and wait for the service. Raises Unreachable if it does not come back."""
        self._armed.clear()
        self._is_healed.set()
        self._line.repair()
        self._door.heal()
        if self._endings:
            await asyncio.gather(*self._endings)
        if self._service is not None and self._service.died is None:
            await self._service.wait_until_ready()

    def is_busy(self) -> bool:
        """Tell whether the service is down, stands still, or is cut off because of a fault."""
        return any(not ending.done() for ending in self._endings)

    def fired(self) -> list[int]:
        """Return how often each begun fault has acted, in the order of ``begin``."""
        return [counter() for counter in self._counters]

    def incidents(self) -> list[Incident]:
        """Return what befell the service because of these faults."""
        return list(self._incidents)

    def began_at(self) -> list[float | None]:
        """Return when each fault that has acted was begun; a crash came at some time after that."""
        begun = zip(self._moments, self.fired(), strict=True)
        return [moment if fired else None for moment, fired in begun]

    async def before_request(self) -> None:
        """Kill the service if it is to die before it gets this webhook."""
        for crash in self._armed:
            if crash.is_due("request"):
                self._strike(crash)

    async def after_response(self, response: httpx.Response) -> httpx.Response:
        """Kill the service if it is to die around this answer, which is lost or arrives."""
        due = [crash for crash in self._armed if crash.is_due("response")]
        if not due:
            return response
        if any(crash.when == "before" for crash in due):
            for crash in due:
                self._strike(crash)
            await response.aclose()
            raise httpx.ReadError("the service crashed before its answer left")
        # The answer has arrived as a whole before the next instant, in which the service dies.
        whole = httpx.Response(response.status_code, content=await response.aread())
        for crash in due:
            self._strike(crash)
        await response.aclose()
        return whole

    def _begin_crash(self, fault: PlannedFault) -> Callable[[], int]:
        at, down_s = fault.fields["at"], self._scaled(fault.fields["for"])
        if at is None:
            crash = ArmedCrash("now", "before", 1, down_s)
            self._strike(crash)
        else:
            crash = ArmedCrash(at["site"], at["when"], at["nth"], down_s)
            self._armed.append(crash)
        return lambda: int(crash.fired)

    def _strike(self, crash: ArmedCrash) -> None:
        assert self._service is not None, "scenarios that crash need a service that we start"
        self._service.kill()
        # Told once the provider has noted the answer that left in the instant before.
        asyncio.get_running_loop().call_soon(self._note, "crashes")
        crash.fired = True
        self._later(self._bring_back(self._service, crash.down_s))

    async def _bring_back(self, service: ServiceProcess, down_s: float) -> None:
        await service.wait_until_gone()
        await self._pass(down_s)
        await service.start()
        self._note("is started again")

    def _begin_latency(self, fault: PlannedFault) -> Callable[[], int]:
        """Make the warehouse slow, the only one whose answers pass through our hands."""
        before = self._door.acted
        self._door.slow_down(max(self._longer_than_asked_s, self._scaled(fault.fields["by"])))

        async def end() -> None:
            await self._pass(self._scaled(fault.fields["for"]))
            self._door.speed_up()

        self._later(end())
        return lambda: self._door.acted - before

    def _begin_pause_of_warehouse(self, fault: PlannedFault) -> Callable[[], int]:
        before = self._door.acted
        self._door.stop()

        async def resume() -> None:
            await self._pass(self._scaled(fault.fields["for"]))
            self._door.go_on()

        self._later(resume())
        return lambda: self._door.acted - before

    def _begin_pause(self, fault: PlannedFault) -> Callable[[], int]:
        if fault.fields["host"] == "warehouse":
            return self._begin_pause_of_warehouse(fault)
        service = self._service
        assert service is not None, "scenarios that pause need a service that we start"
        service.pause()
        self._note("stands still")

        async def resume() -> None:
            await self._pass(max(self._longer_than_asked_s, self._scaled(fault.fields["for"])))
            service.resume()
            self._note("goes on")

        self._later(resume())
        return lambda: 1

    def _begin_partition(self, fault: PlannedFault) -> Callable[[], int]:
        before = self._line.swallowed
        self._line.cut()
        self._note("is cut off")

        async def repair() -> None:
            await self._pass(self._scaled(fault.fields["for"]))
            self._line.repair()
            self._note("can be reached again")

        self._later(repair())
        return lambda: self._line.swallowed - before

    async def _pass(self, seconds: float) -> None:
        """Let time pass, until everything is healed at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_healed.wait()

    def _note(self, text: str) -> None:
        self._incidents.append(Incident(self._now(), "shop", text))

    def _later(self, ending: Coroutine[Any, Any, None]) -> None:
        # The loop holds tasks by weak references only; this set keeps them alive.
        self._endings.add(asyncio.create_task(ending))
