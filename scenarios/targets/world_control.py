"""The world's own faults: from a planned fault to a crash, a pause or a partition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenarios.evidence import Incident
from scenarios.vocabulary import PlannedFault
from scenarios.world.rules import Message, Partition, Unreachable, Verdict
from scenarios.world.trace import Record
from scenarios.world.world import START_2026, World

_TOLD = {
    "host_crashed": "crashes",
    "host_started": "is up again",
    "host_paused": "stands still",
    "host_resumed": "goes on",
    "partitioned": "is cut off",
    "repaired": "can be reached again",
}


def _host(record: Record) -> str:
    """Return whom it befell; of a line that was cut, the one of whom one would say so."""
    ends = record.fields.get("between")
    return str(record.fields["host"] if ends is None else "shop" if "shop" in ends else ends[0])


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

    def incidents(self) -> list[Incident]:
        """Return what befell the hosts because of these faults."""
        # A run without any need not look through its trace.
        records = self._world.trace.of_kind(*_TOLD) if self._counters else ()
        return [
            Incident(START_2026 + record.time_us / 1e6, _host(record), _TOLD[record.kind])
            for record in records
            if record.kind != "host_started" or record.fields["incarnation"] > 1
        ]

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
