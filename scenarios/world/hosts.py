"""An application as a host: it starts, serves, pauses, stops, crashes, comes back on its disk."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from scenarios.world.asgi import Lifespan, ServerCall
from scenarios.world.clock import VirtualClock
from scenarios.world.crash_points import CrashPoint, CrashPoints
from scenarios.world.disk import Disk, HostDatabase
from scenarios.world.errors import StartFailed, WorldError
from scenarios.world.exchange import Exchange
from scenarios.world.incarnation import Incarnation
from scenarios.world.latency import LatencyProfile
from scenarios.world.network import Network, Readiness
from scenarios.world.ports import AppFactory, AsgiApp, CrashMode, HostEnvironment
from scenarios.world.randomness import keyed_random
from scenarios.world.tasks import VirtualTask
from scenarios.world.transport import SimulatedTransport


@dataclass(frozen=True, slots=True)
class ApplicationError:
    """An exception that an application let out, as a server would log it."""

    host: str
    incarnation: int
    doing: str
    error: Exception
    time_us: int


class HostState(Enum):
    """Where a host is in its life."""

    DOWN = "down"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    CRASHED = "crashed"


@dataclass(slots=True)
class HostServices:
    """What all hosts of a world share."""

    network: Network
    seed: int
    disk_delays: LatencyProfile
    trace_commits: bool
    application_errors: list[ApplicationError] = field(default_factory=list)


class Host:
    """One name on the network with one disk, and one incarnation of its application at a time."""

    def __init__(
        self,
        name: str,
        address: str,
        factory: AppFactory,
        clock: VirtualClock,
        services: HostServices,
    ) -> None:
        self.name = name
        self.address = address
        self.clock = clock
        self.disk = Disk(name)
        self.state = HostState.DOWN
        self.incarnation: Incarnation | None = None
        self.crash_points = CrashPoints(self._crash_at)
        self._factory = factory
        self._services = services
        self._network = services.network
        self._loop = services.network.loop
        self._trace = services.network.trace
        self._incarnations = 0
        self._powered_off = False
        self._app: AsgiApp | None = None
        self._lifespan: Lifespan | None = None
        self._ready: asyncio.Future[str | None] | None = None
        self._wake_up: asyncio.TimerHandle | None = None

    @property
    def application(self) -> AsgiApp | None:
        """The application of the life that is running, or None."""
        return self._app

    @property
    def version(self) -> tuple[int, int] | None:
        """Return what is another value once anything was stored, or in another life.

        None while the host does not run, so that nobody can take what it said for what it would
        say now.
        """
        if self.state is not HostState.RUNNING:
            return None
        return self._incarnations, self.disk.commits

    @property
    def is_up(self) -> bool:
        """Whether it serves, though it may stand still just now."""
        return self.state in (HostState.RUNNING, HostState.PAUSED)

    # -- what the network asks ----------------------------------------------------------------

    def readiness(self) -> Readiness:
        """Return what becomes of a connection attempt right now."""
        if self.is_up and self._app is not None:
            return "accepting"
        return "silent" if self._powered_off else "refusing"

    def serve(self, exchange: Exchange) -> None:
        """Handle a request in a task of this host's incarnation."""
        incarnation, app, lifespan = self.incarnation, self._app, self._lifespan
        assert incarnation is not None and app is not None and lifespan is not None  # noqa: PT018
        incarnation.incoming[exchange.number] = exchange
        call = ServerCall(self._network, incarnation, self.crash_points, exchange, self._report)
        exchange.server_task = self._spawn(
            incarnation,
            call.run(app, lifespan.state),
            f"{exchange.method} {exchange.path}",
            exchange.key,
        )

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Build the application and run its startup; return when it serves (or has crashed).

        Raises StartFailed if the application did not come up, WorldError if the host is not down.
        """
        if self.state not in (HostState.DOWN, HostState.CRASHED):
            raise WorldError(
                f"{self.name} is {self.state.value}: stop or crash it before starting it"
            )
        self._incarnations += 1
        incarnation = self.incarnation = Incarnation(self.name, self._incarnations)
        self.state = HostState.STARTING
        self._powered_off = False
        self._ready = self._loop.create_future()
        self._spawn(incarnation, self._boot(incarnation), "start")
        problem = await self._ready
        if problem is not None:
            raise StartFailed(f"{self.name} did not start: {problem}")

    async def wait_until_started(self) -> None:
        """Return when a start that is under way has come to its end, whatever that is."""
        if self.state is HostState.STARTING and self._ready is not None:
            await asyncio.shield(self._ready)

    async def _boot(self, incarnation: Incarnation) -> None:
        try:
            app = self._factory(self._environment(incarnation))
            if inspect.isawaitable(app):
                app = await app
        except Exception as error:
            self._report("start", error)
            self._give_up(incarnation, repr(error))
            return
        lifespan = Lifespan(app, self._report)
        self._spawn(incarnation, lifespan.run(), "lifespan")
        problem = await lifespan.started
        if problem is not None:
            self._give_up(incarnation, problem)
            return
        self._app, self._lifespan = app, lifespan
        self.state = HostState.RUNNING
        self._record("host_started", incarnation=incarnation.number)
        self._tell_starter(None)

    def _environment(self, incarnation: Incarnation) -> HostEnvironment:
        services = self._services
        return HostEnvironment(
            name=self.name,
            incarnation=incarnation.number,
            clock=self.clock,
            # Each life draws anew: a stream that began again would make the same identifiers twice.
            random=keyed_random(services.seed, "host", self.name, incarnation.number),
            transport=SimulatedTransport(self._network, self.name, incarnation, self.crash_points),
            database=HostDatabase(
                self.disk,
                incarnation,
                self.crash_points,
                self._trace if services.trace_commits else None,
                services.seed,
                services.disk_delays,
            ),
        )

    def _give_up(self, incarnation: Incarnation, problem: str) -> None:
        self._record("host_start_failed", incarnation=incarnation.number)
        self._end(incarnation, HostState.DOWN)
        self._tell_starter(problem)

    def _tell_starter(self, problem: str | None) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(problem)

    def pause(self, *, for_s: float | None = None) -> None:
        """Freeze the host as SIGSTOP does: connections are accepted, nothing runs.

        With ``for_s`` it goes on after that many seconds.
        """
        if self.state is HostState.RUNNING and self.incarnation is not None:
            self.state = HostState.PAUSED
            self.incarnation.running = False
            self._record("host_paused")
            if for_s is not None:
                self._wake_up = self._loop.call_later(
                    for_s, self.resume, context=contextvars.Context()
                )

    def resume(self) -> None:
        """Let a paused host go on; all that became due meanwhile runs now, in order."""
        if self._wake_up is not None:
            self._wake_up.cancel()
        if self.state is HostState.PAUSED and self.incarnation is not None:
            self.state = HostState.RUNNING
            self.incarnation.running = True
            self._record("host_resumed")
            self._loop.unpark(self.incarnation.unpark())

    # -- death --------------------------------------------------------------------------------

    def crash(
        self, mode: CrashMode = "kill", *, down_s: float | None = None, commits_lost: int = 0
    ) -> None:
        """Die at once: nothing of this incarnation runs any more, not even a ``finally``.

        ``kill``: peers see their connections closed. ``power``: peers see silence.
        With ``down_s`` the host starts again after that many seconds. ``commits_lost`` is how many
        commits are gone then, of those that its disk has cached.
        """
        incarnation = self.incarnation
        if incarnation is None or self.state in (HostState.DOWN, HostState.CRASHED):
            return
        self._record("host_crashed", incarnation=incarnation.number, mode=mode)
        self._powered_off = mode == "power"
        self._end(incarnation, HostState.CRASHED, mode, commits_lost)
        self._tell_starter(None)
        if down_s is not None:
            self._loop.call_later(
                down_s, self._start_again, incarnation.number, context=contextvars.Context()
            )

    def _crash_at(self, point: CrashPoint) -> None:
        self._record("crash_point_reached", site=point.site, nth=point.nth, when=point.when)
        self.crash(point.mode, down_s=point.down_s, commits_lost=point.commits_lost)

    def _end(
        self,
        incarnation: Incarnation,
        state: HostState,
        mode: CrashMode = "kill",
        commits_lost: int = 0,
    ) -> None:
        incarnation.fence()
        self.disk.crash(commits_lost)
        self.state = state
        self._app = None
        for exchange in incarnation.incoming.values():
            if exchange.answered:
                continue
            if mode == "power":
                self._network.vanish(exchange)
            else:
                self._network.cut(exchange)
        if mode == "kill":
            for exchange in incarnation.outgoing.values():
                self._network.leave(exchange)

    def _start_again(self, number: int) -> None:
        if self.state is HostState.CRASHED and self._incarnations == number:
            self._loop.create_task(self._try_to_start(), name=f"{self.name}: start again")

    async def _try_to_start(self) -> None:
        try:
            await self.start()
        except StartFailed as error:
            self._report("start again", error)

    async def restart(self) -> None:
        """Stop gracefully if running, then start a new incarnation on the same disk."""
        if self.is_up:
            await self.stop()
        await self.start()

    async def stop(self, grace_s: float = 10.0) -> None:
        """End as on SIGTERM: refuse connections, finish requests, shut down, cancel what is left.

        Each of these phases takes at most ``grace_s``.
        """
        self.resume()
        incarnation, lifespan = self.incarnation, self._lifespan
        if self.state is not HostState.RUNNING or incarnation is None or lifespan is None:
            raise WorldError(f"{self.name} is {self.state.value}, so it cannot be stopped")
        self.state = HostState.STOPPING
        calls = [call.server_task for call in incarnation.incoming.values() if call.server_task]
        await _wait_for(calls, grace_s)
        if not incarnation.dead:
            await _wait_for([self._loop.create_task(lifespan.shut_down())], grace_s)
        if not incarnation.dead:
            left = self._loop.tasks_of(incarnation)
            for task in left:
                task.cancel()
            await _wait_for(left, grace_s)
        if not incarnation.dead:
            self._record("host_stopped", incarnation=incarnation.number)
            self._end(incarnation, HostState.DOWN)

    def fence(self) -> None:
        """The run is over: no code of this host may change anything from now on."""
        if self.incarnation is not None:
            self.incarnation.fence()
            self.disk.crash()

    # -- helpers ------------------------------------------------------------------------------

    def _spawn(
        self, incarnation: Incarnation, work: Coroutine[Any, Any, None], name: str, key: str = ""
    ) -> VirtualTask:
        return self._loop.create_task(
            work, name=f"{self.name}: {name}", context=incarnation.new_context(key)
        )

    def _record(self, kind: str, **fields: Any) -> None:
        self._trace.record(kind, host=self.name, **fields)

    def _report(self, doing: str, error: Exception) -> None:
        self._record("application_failed", doing=doing, error=type(error).__name__)
        self._services.application_errors.append(
            ApplicationError(self.name, self._incarnations, doing, error, self._loop.now_us)
        )


async def _wait_for(tasks: list[Any], grace_s: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=grace_s)
