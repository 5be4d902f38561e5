"""The deterministic world: virtual time, network, hosts, crashes. It knows nothing of payments."""

from scenarios.world.crash_points import CrashPoint
from scenarios.world.errors import (
    Deadlock,
    Escape,
    HostDead,
    Livelock,
    OutOfTime,
    RandomnessForbidden,
    RealClockForbidden,
    RealNetworkForbidden,
    StartFailed,
    TaskFailed,
    ThreadForbidden,
    WorldError,
)
from scenarios.world.hosts import ApplicationError, Host, HostState
from scenarios.world.latency import HEAVY, LOCAL_NETWORK, NONE, TINY, LatencyProfile
from scenarios.world.loop import VirtualTimeLoop
from scenarios.world.network import Network
from scenarios.world.ports import AppFactory, AsgiApp, Clock, HostEnvironment
from scenarios.world.randomness import keyed_fraction, keyed_random
from scenarios.world.rules import AddedLatency, Delay, Lose, Message, Partition, Pass, Unreachable
from scenarios.world.trace import Record, Trace
from scenarios.world.world import HARNESS, World, free_earlier_worlds

__all__ = [
    "HARNESS",
    "HEAVY",
    "LOCAL_NETWORK",
    "NONE",
    "TINY",
    "AddedLatency",
    "AppFactory",
    "ApplicationError",
    "AsgiApp",
    "Clock",
    "CrashPoint",
    "Deadlock",
    "Delay",
    "Escape",
    "Host",
    "HostDead",
    "HostEnvironment",
    "HostState",
    "LatencyProfile",
    "Livelock",
    "Lose",
    "Message",
    "Network",
    "OutOfTime",
    "Partition",
    "Pass",
    "RandomnessForbidden",
    "RealClockForbidden",
    "RealNetworkForbidden",
    "Record",
    "StartFailed",
    "TaskFailed",
    "ThreadForbidden",
    "Trace",
    "Unreachable",
    "VirtualTimeLoop",
    "World",
    "WorldError",
    "free_earlier_worlds",
    "keyed_fraction",
    "keyed_random",
]
