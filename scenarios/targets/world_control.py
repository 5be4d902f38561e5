"""The world's own faults: from a planned fault to a crash, a pause, a cut line or a wrong clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.evidence import Incident
from scenarios.vocabulary import PlannedFault
from scenarios.warehouse import Warehouse
from scenarios.world.hosts import HostState
from scenarios.world.ports import CrashMode
from scenarios.world.rules import AddedLatency, Message, Partition, Pass, Rule, Verdict
from scenarios.world.trace import Record
from scenarios.world.world import START_2026, World

_TOLD = {
    "host_crashed": "crashes",
    "host_started": "is up again",
    "host_paused": "stands still",
    "host_resumed": "goes on",
    "turning_away": "turns callers away",
    "partitioned": "is cut off",
    "repaired": "can be reached again",
}


def _host(record: Record) -> str:
    """Return whom it befell; of a line that was cut, the one of whom one would say so."""
    ends = record.fields.get("between")
    return str(record.fields["host"] if ends is None else "shop" if "shop" in ends else ends[0])


@dataclass(slots=True, eq=False)
class CountedRules:
    """Rules that know how many messages they have held up or swallowed.

    Two with the same rules are not equal: the end of one fault must not end another.
    """

    rules: Sequence[Rule]
    acted: int = 0

    def on_message(self, message: Message) -> Verdict:
        """Return the first verdict that is not to let the message pass, and count it."""
        for rule in self.rules:
            verdict = rule.on_message(message)
            if not isinstance(verdict, Pass):
                self.acted += 1
                return verdict
        return Pass()


class SimulatedWorldControl:
    """Begins faults, tells how often each acted, and heals."""

    def __init__(self, world: World, warehouse: Warehouse) -> None:
        self._world = world
        self._warehouse = warehouse
        self._counters: list[Callable[[], int]] = []
        self._moments: list[Callable[[], float | None]] = []
        self._restarts: list[asyncio.Task[None]] = []
        self._wrong_clocks: dict[str, list[PlannedFault]] = {}

    def begin(self, fault: PlannedFault) -> None:
        """Let the fault happen now, or arm it for the point that it names."""
        counter = {
            "crash": self._begin_crash,
            "power_loss": self._begin_power_loss,
            "restart": self._begin_restart,
            "pause": self._begin_pause,
            "turn_away": self._begin_turn_away,
            "partition": self._begin_partition,
            "latency": self._begin_latency,
            "skew": self._begin_skew,
        }[fault.kind](fault)
        self._counters.append(counter)
        if len(self._moments) < len(self._counters):
            now = self._world.now()
            self._moments.append(lambda: now)

    async def heal(self) -> None:
        """Undo all faults and have every host running again, by a clock that is right."""
        for restart in self._restarts:
            await restart
        await self._world.heal()
        self._warehouse.take_again()
        self._wrong_clocks.clear()
        for host in self._world.hosts:
            if self._world.clock_for(host).skew_s:
                self._world.clock_for(host, 0.0)

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

    def began_at(self) -> list[float | None]:
        """Return when each begun fault began to act; None for a crash whose point never came."""
        return [moment() for moment in self._moments]

    def ended_at(self) -> list[float | None]:
        """Say of none: in virtual time each fault lasts exactly as long as was planned."""
        return [None] * len(self._moments)

    def _begin_crash(self, fault: PlannedFault) -> Callable[[], int]:
        return self._end_abruptly(fault, "kill")

    def _begin_power_loss(self, fault: PlannedFault) -> Callable[[], int]:
        host, commits_lost = fault.fields["host"], fault.fields["commits_lost"]
        if commits_lost:
            self._world.host(host).disk.cache_commits(commits_lost)
        return self._end_abruptly(fault, "power")

    def _end_abruptly(self, fault: PlannedFault, mode: CrashMode) -> Callable[[], int]:
        host, at, down_s = fault.fields["host"], fault.fields["at"], fault.fields["for"]
        if at is None:
            self._world.crash(host, mode, down_s=down_s)
            return lambda: 1
        point = self._world.crash_at(
            host,
            at["site"],
            nth=at["nth"],
            when=at["when"],
            down_s=down_s,
            mode=mode,
            path=at["path"] or "",
            commits_lost=fault.fields.get("commits_lost", 0),
        )
        began = self._world.now() - self._world.loop.time()
        self._moments.append(lambda: None if point.fired_at_s is None else began + point.fired_at_s)
        return lambda: int(point.fired)

    def _begin_restart(self, fault: PlannedFault) -> Callable[[], int]:
        """Ask a process to end. One that is away cannot be asked, and comes back as it would."""
        host, asked_at = self._world.host(fault.fields["host"]), list[float]()

        async def restart() -> None:
            await host.wait_until_started()
            if not host.is_up:
                return
            asked_at.append(self._world.now())
            await host.stop()
            if host.state is HostState.DOWN:
                await asyncio.sleep(fault.fields["for"])
                await host.start()

        self._restarts.append(self._world.loop.create_task(restart(), name=f"restart {host.name}"))
        self._moments.append(lambda: asked_at[0] if asked_at else None)
        return lambda: len(asked_at)

    def _begin_pause(self, fault: PlannedFault) -> Callable[[], int]:
        self._world.pause(fault.fields["host"], for_s=fault.fields["for"])
        return lambda: 1

    def _begin_turn_away(self, fault: PlannedFault) -> Callable[[], int]:
        before = self._warehouse.turned_away
        self._warehouse.turn_away(fault.fields["for"])
        self._world.trace.record("turning_away", host=fault.fields["host"])
        return lambda: self._warehouse.turned_away - before

    def _begin_partition(self, fault: PlannedFault) -> Callable[[], int]:
        return self._install(fault, "partitioned", "repaired", Partition(*fault.fields["between"]))

    def _begin_latency(self, fault: PlannedFault) -> Callable[[], int]:
        (one, other), by_s = fault.fields["between"], fault.fields["by"]
        both_ways = AddedLatency(by_s, one, other), AddedLatency(by_s, other, one)
        return self._install(fault, "slowed", "as_fast_as_before", *both_ways)

    def _install(
        self, fault: PlannedFault, began: str, ended: str, *rules: Rule
    ) -> Callable[[], int]:
        """Put rules in force for as long as the fault says; the trace tells of both ends."""
        counted, between = CountedRules(rules), list(fault.fields["between"])
        self._world.network.install(counted)
        self._world.trace.record(began, between=between)

        def end() -> None:
            if counted in self._world.network.rules.active:
                self._world.network.remove(counted)
                self._world.trace.record(ended, between=between)

        self._world.loop.call_later(fault.fields["for"], end)
        return lambda: counted.acted

    def _begin_skew(self, fault: PlannedFault) -> Callable[[], int]:
        """Let a clock be wrong for a while; where several faults say so, the latest counts."""
        host, wrong = fault.fields["host"], self._wrong_clocks.setdefault(fault.fields["host"], [])
        wrong.append(fault)
        self._world.clock_for(host, fault.fields["by"])

        def end() -> None:
            if any(each is fault for each in wrong):
                wrong[:] = [each for each in wrong if each is not fault]
                self._world.clock_for(host, wrong[-1].fields["by"] if wrong else 0.0)

        self._world.loop.call_later(fault.fields["for"], end)
        return lambda: 1
