"""The world's faults where the world is real: a service is killed, paused, or cut off.

The warehouse is ours, and so can be slow or stand still.

Crashes aim at webhooks, since those pass through our hands. What happens inside the service, like
its commits, cannot be aimed at.

Nobody here knows the pace of a stranger, and a fault that comes while nothing is under way hurts
nobody: so each waits for its victim. A crash at a time waits until an order's webhooks have been
taken, a pause for the next webhook, and the warehouse is slow or stands still for a while from its
first call on.
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

# What the provider tells of an order: its payment is under way, then it has succeeded.
_WEBHOOKS_OF_AN_ORDER = 2


@dataclass(slots=True)
class ArmedCrash:
    """A crash that waits for the nth passage of its site, counted from when it was armed.

    With ``is_taken`` only answers with 2xx count. ``struck_at`` is when it happened, and
    ``ended_at`` when the service was ready again, in Unix seconds.
    """

    site: str
    when: str
    nth: int
    down_s: float
    is_taken: bool = False
    seen: int = 0
    struck_at: float | None = None
    ended_at: float | None = None

    def is_due(self, site: str, status: int | None = None) -> bool:
        """Count a passage; tell whether it is the one."""
        if self.site != site or (self.is_taken and not _is_taken(status)):
            return False
        self.seen += 1
        return self.seen == self.nth


@dataclass(slots=True)
class ArmedPause:
    """A pause that waits for the next webhook; ``struck_at`` is when that came."""

    for_s: float
    struck_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A fault in force: how often it has acted, since when, and when it was over, if it is."""

    fired: Callable[[], int]
    began_at: Callable[[], float | None]
    ended_at: Callable[[], float | None] = lambda: None


def _is_taken(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


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
        self._pauses: list[ArmedPause] = []
        self._begun: list[Begun] = []
        self._taken = 0
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
        self._begun.append(begin(fault))

    async def heal(self) -> None:
        """End all faults and wait for the service. Raises Unreachable if it does not come back."""
        self._armed.clear()
        self._pauses.clear()
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
        return [begun.fired() for begun in self._begun]

    def incidents(self) -> list[Incident]:
        """Return what befell the service because of these faults."""
        return list(self._incidents)

    def began_at(self) -> list[float | None]:
        """Return when each fault began to act, or None."""
        return [begun.began_at() if begun.fired() else None for begun in self._begun]

    def ended_at(self) -> list[float | None]:
        """Return when each fault was over and the service ready again; None where nobody knows."""
        return [begun.ended_at() for begun in self._begun]

    async def before_request(self) -> None:
        """Stop or kill the service if that is to happen before it gets this webhook."""
        for pause in self._pauses:
            self._stand_still(pause)
        self._pauses.clear()
        for crash in self._armed:
            if crash.is_due("request"):
                self._strike(crash)

    async def after_response(self, response: httpx.Response) -> httpx.Response:
        """Kill the service if it is to die around this answer, which is lost or arrives."""
        self._taken += _is_taken(response.status_code)
        due = [crash for crash in self._armed if crash.is_due("response", response.status_code)]
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

    def _begin_crash(self, fault: PlannedFault) -> Begun:
        at, down_s = fault.fields["at"], self._scaled(fault.fields["for"])
        if at is not None:
            crash = ArmedCrash(at["site"], at["when"], at["nth"], down_s)
        else:
            left = _WEBHOOKS_OF_AN_ORDER - self._taken
            crash = ArmedCrash("response", "after", left, down_s, is_taken=True)
        if at is None and self._taken >= _WEBHOOKS_OF_AN_ORDER:
            self._strike(crash)
        else:
            self._armed.append(crash)
        return Begun(
            lambda: int(crash.struck_at is not None),
            lambda: crash.struck_at,
            lambda: crash.ended_at,
        )

    def _strike(self, crash: ArmedCrash) -> None:
        assert self._service is not None, "scenarios that crash need a service that we start"
        self._service.kill()
        # Told once the provider has noted the answer that left in the instant before.
        asyncio.get_running_loop().call_soon(self._note, "crashes")
        crash.struck_at = self._now()
        self._later(self._bring_back(self._service, crash))

    async def _bring_back(self, service: ServiceProcess, crash: ArmedCrash) -> None:
        await service.wait_until_gone()
        await self._pass(crash.down_s)
        await service.start()
        self._note("is started again")
        await service.wait_until_ready()
        crash.ended_at = self._now()

    def _begin_latency(self, fault: PlannedFault) -> Begun:
        """Make the warehouse slow, the only one whose answers pass through our hands."""
        self._door.slow_down(max(self._longer_than_asked_s, self._scaled(fault.fields["by"])))
        return self._at_the_door(fault, self._door.speed_up)

    def _at_the_door(self, fault: PlannedFault, end: Callable[[], None]) -> Begun:
        """Let what befalls the warehouse last for its time, counted from the first call there."""
        before, began_at = self._door.acted, self._now()

        async def pass_and_end() -> None:
            await self._happens(self._door.is_met)
            await self._pass(self._scaled(fault.fields["for"]))
            end()

        self._door.is_met.clear()
        self._later(pass_and_end())
        return Begun(lambda: self._door.acted - before, lambda: began_at)

    def _begin_pause(self, fault: PlannedFault) -> Begun:
        if fault.fields["host"] == "warehouse":
            self._door.stop()
            return self._at_the_door(fault, self._door.go_on)
        for_s = max(self._longer_than_asked_s, self._scaled(fault.fields["for"]))
        pause = ArmedPause(for_s)
        self._pauses.append(pause)
        return Begun(
            lambda: int(pause.struck_at is not None),
            lambda: pause.struck_at,
            lambda: pause.ended_at,
        )

    def _stand_still(self, pause: ArmedPause) -> None:
        service = self._service
        assert service is not None, "scenarios that pause need a service that we start"
        service.pause()
        pause.struck_at = self._now()
        self._note("stands still")

        async def resume() -> None:
            await self._pass(pause.for_s)
            service.resume()
            self._note("goes on")
            pause.ended_at = self._now()

        self._later(resume())

    def _begin_partition(self, fault: PlannedFault) -> Begun:
        before, began_at = self._line.swallowed, self._now()
        self._line.cut()
        self._note("is cut off")

        async def repair() -> None:
            await self._pass(self._scaled(fault.fields["for"]))
            self._line.repair()
            self._note("can be reached again")

        self._later(repair())
        return Begun(lambda: self._line.swallowed - before, lambda: began_at)

    async def _happens(self, event: asyncio.Event) -> None:
        """Wait for something, until everything is healed at the latest."""
        waits = [asyncio.create_task(each.wait()) for each in (event, self._is_healed)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

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
