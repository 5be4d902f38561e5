"""The faults of one run: begun when their time comes, lifted all together, counted one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from scenarios.errors import Unreachable
from scenarios.evidence import Disturbance, FiredFault
from scenarios.scenario import Scenario
from scenarios.stage import Stage
from scenarios.vocabulary import PlannedFault

TRIES = 100
TRY_AGAIN_AFTER_S = 2.0


class FaultsInForce:
    """What has begun, at the provider and in the world, and under which name."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._of_the_world: list[PlannedFault] = []
        self._at_the_provider: list[tuple[PlannedFault, str]] = []
        self.disturbances: list[Disturbance] = []

    async def begin(self, fault: PlannedFault) -> None:
        """Let a fault begin. Raises Unreachable if the provider refuses it.

        A provider that is down or stands still is told when it is back, as a person at a console
        would do. One that never comes back leaves the fault without effect.
        """
        if fault.is_of_the_world:
            assert self._stage.world is not None, "what needs a world is left out elsewhere"
            self._stage.world.begin(fault)
            self._of_the_world.append(fault)
            return
        for _ in range(TRIES):
            try:
                status, answer = await self._stage.provider.call(
                    "POST", "/_control/faults", dict(fault.document)
                )
            except httpx.HTTPError:
                await asyncio.sleep(self._stage.scaled(TRY_AGAIN_AFTER_S))
                continue
            if status != 201:
                raise Unreachable(f"the provider refused the fault {fault.kind}: {answer}")
            self._at_the_provider.append((fault, answer["data"][0]["id"]))
            return

    async def lift(self, scenario: Scenario) -> list[FiredFault]:
        """Undo every fault; return how often each of the scenario's had acted. Raises Unreachable.

        The order is that of the scenario; what never began has acted never. Those of the
        provider's own settings, such as a preset, come last, if they have acted.
        """
        world = self._stage.world
        counts = dict.fromkeys((id(fault) for fault in scenario.faults), 0)
        if world is not None:
            begun = zip(self._of_the_world, world.fired(), strict=True)
            counts |= {id(fault): fired for fault, fired in begun}
            await world.heal()
            self.disturbances = self._disturbances(world.began_at(), world.ended_at())
        by_name = await self._lift_at_the_provider(scenario)
        never = FiredFault("", 0)
        counts |= {
            id(fault): by_name.pop(name, never).fired for fault, name in self._at_the_provider
        }
        planned = [FiredFault(fault.kind, counts[id(fault)]) for fault in scenario.faults]
        return [*planned, *(fault for fault in by_name.values() if fault.fired)]

    def _disturbances(
        self, began_at: Sequence[float | None], ended_at: Sequence[float | None]
    ) -> list[Disturbance]:
        """Return when each fault of the world was on. They may last longer on a real clock."""
        now, is_exact = self._stage.now(), self._stage.patience is None
        return [
            Disturbance(
                kind=fault.kind,
                hosts=frozenset(fault.fields.get("between") or [fault.fields["host"]]),
                began_at=at,
                ended_at=min(at + self._stage.scaled(fault.fields["for"]), now)
                if is_exact
                else end or now,
                is_on_the_line="between" in fault.fields,
                forgets=bool(fault.fields.get("commits_lost")),
                clock_off_s=fault.fields["by"] if fault.kind == "skew" else 0.0,
            )
            for fault, at, end in zip(self._of_the_world, began_at, ended_at, strict=True)
            if at is not None
        ]

    async def _lift_at_the_provider(self, scenario: Scenario) -> dict[str, FiredFault]:
        if all(fault.is_of_the_world for fault in scenario.faults) and not scenario.provider:
            return {}
        installed = await self._control("GET")
        await self._control("DELETE")
        return {
            fault["id"]: FiredFault(fault["kind"], fault["fired"]) for fault in installed["data"]
        }

    async def _control(self, method: str) -> Any:
        """Ask the provider of its faults, again if no answer comes. Raises Unreachable."""
        reason = ""
        for _ in range(TRIES):
            try:
                status, answer = await self._stage.provider.call(method, "/_control/faults")
            except httpx.HTTPError as problem:
                reason = str(problem)
                await asyncio.sleep(self._stage.scaled(TRY_AGAIN_AFTER_S))
                continue
            if status == 200:
                return answer
            reason = f"{status}: {answer}"
            break
        raise Unreachable(f"the provider's control API did not answer: {reason}")
