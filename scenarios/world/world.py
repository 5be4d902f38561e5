"""One run of everything: a seed and hosts go in, a trace and the result come out."""

from __future__ import annotations

import gc
import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from scenarios.world.clock import VirtualClock
from scenarios.world.crash_points import CrashPoint
from scenarios.world.errors import WorldError
from scenarios.world.guard import no_way_out
from scenarios.world.hosts import ApplicationError, Host, HostServices, HostState
from scenarios.world.latency import LOCAL_NETWORK, NONE, LatencyProfile
from scenarios.world.loop import STEPS_PER_INSTANT_MAX, VirtualTimeLoop, to_us
from scenarios.world.network import MessageKey, Network, message_key
from scenarios.world.ports import AppFactory, CrashMode, CrashSite, CrashWhen
from scenarios.world.randomness import keyed_random
from scenarios.world.rules import AddedLatency, Partition
from scenarios.world.trace import Trace
from scenarios.world.transport import SimulatedTransport

START_2026 = 1_767_225_600.0
LIMIT_S = 90 * 86_400.0
HARNESS = "harness"

T = TypeVar("T")


def free_earlier_worlds() -> None:
    """Free worlds that nobody needs any more. To be called before another one is made.

    The collector would never come to them: it is on between runs alone, where too little happens.
    And what exists of a new world would count as old, and keep all that refers to it from being
    freed when its own time has come.
    """
    gc.collect(1)


class World:
    """A loop, a network, hosts and a trace; everything random comes from the seed.

    ``start`` is the wall clock at the beginning, in Unix seconds. A world runs once.
    """

    def __init__(
        self,
        seed: int,
        *,
        start: float = START_2026,
        latency: LatencyProfile = LOCAL_NETWORK,
        disk_delays: LatencyProfile = NONE,
        message_key: MessageKey = message_key,
        trace_commits: bool = False,
        steps_per_instant_max: int = STEPS_PER_INSTANT_MAX,
    ) -> None:
        self.seed = seed
        self.loop = VirtualTimeLoop(steps_per_instant_max=steps_per_instant_max)
        self.trace = Trace(lambda: self.loop.now_us)
        self.network = Network(
            self.loop, self.trace, seed, latency=latency, message_key=message_key
        )
        self.hosts: dict[str, Host] = {}
        self._start = start
        self._clocks: dict[str, VirtualClock] = {}
        self._services = HostServices(self.network, seed, disk_delays, trace_commits)
        self._ran = False

    @property
    def application_errors(self) -> list[ApplicationError]:
        """Every exception that an application let out, in order."""
        return self._services.application_errors

    # -- what scenarios are built from --------------------------------------------------------

    def now(self) -> float:
        """Return the true time in Unix seconds; hosts' clocks may be skewed against it."""
        return self._start + self.loop.time()

    def clock_for(self, name: str, skew_s: float | None = None) -> VirtualClock:
        """Return the one clock of a host (or any other participant), and set its skew if given."""
        clock = self._clocks.setdefault(name, VirtualClock(self.loop, self._start))
        if skew_s is not None:
            clock.skew_s = skew_s
            self.trace.record("clock_skewed", host=name, by_us=round(skew_s * 1_000_000))
        return clock

    def random_for(self, name: str) -> random.Random:
        """Return a new stream of random numbers that belongs to the seed and this name."""
        return keyed_random(self.seed, "stream", name)

    def transport_for(self, name: str = HARNESS) -> SimulatedTransport:
        """Return a transport for a participant that is no host: customers, the harness itself."""
        if name in self.hosts:
            raise WorldError(f"{name} is a host: its transport comes with its environment")
        return SimulatedTransport(self.network, name)

    def add_host(self, name: str, factory: AppFactory) -> Host:
        """Add a host that is down; the factory makes its application at each start."""
        if name in self.hosts:
            raise WorldError(f"there is a host {name!r} already")
        number = len(self.hosts) + 1
        address = f"10.0.{number // 250}.{number % 250 + 1}"
        host = Host(name, address, factory, self.clock_for(name), self._services)
        self.hosts[name] = self.network.hosts[name] = host
        return host

    def host(self, name: str) -> Host:
        """Return a host. Raises WorldError if there is none of this name."""
        try:
            return self.hosts[name]
        except KeyError:
            known = ", ".join(self.hosts) or "none"
            raise WorldError(f"there is no host {name!r}; hosts: {known}") from None

    # -- faults -------------------------------------------------------------------------------

    async def start(self, *names: str) -> None:
        """Start hosts, in this order."""
        for name in names:
            await self.host(name).start()

    async def stop(self, name: str) -> None:
        """Stop a host gracefully."""
        await self.host(name).stop()

    async def restart(self, name: str) -> None:
        """Stop a host gracefully if it runs, and start it."""
        await self.host(name).restart()

    def crash(self, name: str, mode: CrashMode = "kill", *, down_s: float | None = None) -> None:
        """Crash a host now; with ``down_s`` it starts again after that many seconds."""
        self.host(name).crash(mode, down_s=down_s)

    def crash_at(
        self,
        host: str,
        site: CrashSite,
        *,
        nth: int = 1,
        when: CrashWhen = "before",
        down_s: float | None = 1.0,
        mode: CrashMode = "kill",
        path: str = "",
        commits_lost: int = 0,
    ) -> CrashPoint:
        """Plan a crash at the n-th commit, outgoing request or own response of a host.

        ``path`` narrows requests and responses to those whose path starts with it. ``commits_lost``
        of what the disk has cached since ``Disk.cache_commits`` are gone afterwards.
        """
        point = CrashPoint(host, site, nth, when, down_s, mode, path, commits_lost)
        self.host(host).crash_points.add(point)
        return point

    def pause(self, name: str, *, for_s: float | None = None) -> None:
        """Freeze a host; with ``for_s`` it goes on after that many seconds."""
        self.host(name).pause(for_s=for_s)

    def resume(self, name: str) -> None:
        """Let a paused host go on."""
        self.host(name).resume()

    def partition(
        self, sender: str | None, receiver: str | None, *, one_way: bool = False
    ) -> Partition:
        """Make the network silent between two participants (None: everybody)."""
        rule = Partition(sender, receiver, one_way)
        self.network.install(rule)
        self.trace.record("partitioned", sender=sender, receiver=receiver, one_way=one_way)
        return rule

    def add_latency(
        self, by_s: float, *, sender: str | None = None, receiver: str | None = None
    ) -> AddedLatency:
        """Make messages from ``sender`` to ``receiver`` (None: any) slower."""
        rule = AddedLatency(by_s, sender, receiver)
        self.network.install(rule)
        by_us = to_us(by_s)
        self.trace.record("latency_added", sender=sender, receiver=receiver, by_us=by_us)
        return rule

    async def heal(self) -> None:
        """End all faults: no more planned crashes, no network rules, every crashed host back up.

        Hosts that were stopped on purpose stay down, and clocks stay skewed.
        """
        self.trace.record("healed")
        self.network.rules.active.clear()
        for host in self.hosts.values():
            host.crash_points.disable()
            host.resume()
        for host in self.hosts.values():
            await host.wait_until_started()
            if host.state is HostState.CRASHED:
                await host.start()

    # -- the run ------------------------------------------------------------------------------

    def run(
        self, main: Coroutine[Any, Any, T], *, limit_s: float = LIMIT_S, every_call: bool = False
    ) -> T:
        """Run the world until ``main`` returns; return its result or raise its exception.

        ``every_call`` looks for escapes in every single call, which takes about twice as long.
        Raises Deadlock, OutOfTime (after ``limit_s`` virtual seconds), Livelock, Escape, or
        TaskFailed for an exception that nobody awaited.
        """
        if self._ran:
            main.close()
            raise WorldError("a world runs once: make a new one for every run")
        self._ran = True
        self.loop.limit_us = to_us(limit_s)
        with _no_garbage_collection(), no_way_out(self.loop, every_call=every_call):
            return self._run(main)

    def close(self) -> None:
        """Give back what other worlds can use. The trace stays; the disks are empty."""
        for host in self.hosts.values():
            host.disk.close()

    def _run(self, main: Coroutine[Any, Any, T]) -> T:
        try:
            result: T = self.loop.run_until_complete(self.loop.create_task(main, name=HARNESS))
        except Exception as error:
            _mention(error, self.loop.unseen_failure())
            raise
        else:
            self.loop.settle()
            failure = self.loop.unseen_failure()
            if failure is not None:
                raise failure
            return result
        finally:
            self.trace.seal()
            for host in self.hosts.values():
                host.fence()
            self.loop.tear_down()


def _mention(error: Exception, other: BaseException | None) -> None:
    if other is not None and other is not error:
        error.add_note(f"Before that: {other}")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # Finalizers would run at instants that depend on what the process did before.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # Before the collector is on again: it would begin at once, and with everything there is.
        gc.collect(0)
        if was_enabled:
            gc.enable()
