"""The world's own faults: from a planned fault to a crash, a pause or a partition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenarios.vocabulary import PlannedFault
from scenarios.world.rules import Message, Partition, Unreachable, Verdict
from scenarios.world.world import World


@dataclass(slots=True)
class CountedPartition:
    """A partition that knows how many messages it has swallowed."""

    partition: Partition
    swallowed: int = 0

    def on_message(self, message: Message) -> Verdict:
        """Return the partition's verdict, and count it if it is against the message."""
        verdict = self.partition.on_message(message)
        self.swallowed += isinstance(verdict, Unreachable)
        return verdict


class SimulatedWorldControl:
    """Begins faults, tells how often each acted, and heals."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counters: list[Callable[[], int]] = []

    def begin(self, fault: PlannedFault) -> None:
        """Let the fault happen now, or arm it for the point that it names."""
        counter = {
            "crash": self._begin_crash,
            "pause": self._begin_pause,
            "partition": self._begin_partition,
        }[fault.kind](fault)
        self._counters.append(counter)

    async def heal(self) -> None:
        """Undo all faults and have every host running again."""
        await self._world.heal()

    def fired(self) -> list[int]:
        """Return how often each begun fault has acted, in the order of ``begin``."""
        return [counter() for counter in self._counters]

    def _begin_crash(self, fault: PlannedFault) -> Callable[[], int]:
        host, at, down_s = fault.fields["host"], fault.fields["at"], fault.fields["for"]
        if at is None:
            self._world.crash(host, down_s=down_s)
            return lambda: 1
        point = self._world.crash_at(
            host,
            at["site"],
            nth=at["nth"],
            when=at["when"],
            down_s=down_s,
            path=at["path"] or "",
        )
        return lambda: int(point.fired)

    def _begin_pause(self, fault: PlannedFault) -> Callable[[], int]:
        self._world.pause(fault.fields["host"], for_s=fault.fields["for"])
        return lambda: 1

    def _begin_partition(self, fault: PlannedFault) -> Callable[[], int]:
        rule = CountedPartition(Partition(*fault.fields["between"]))
        self._world.network.install(rule)
        self._world.trace.record("partitioned", between=list(fault.fields["between"]))

        def repair() -> None:
            if rule in self._world.network.rules.active:
                self._world.network.remove(rule)
                self._world.trace.record("repaired", between=list(fault.fields["between"]))

        self._world.loop.call_later(fault.fields["for"], repair)
        return lambda: rule.swallowed
