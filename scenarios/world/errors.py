"""What can go wrong in the simulated world itself, as opposed to in the services that run in it.

WorldError
├── Deadlock               nothing is left to wait for, and the run is not over
├── OutOfTime              the run wants to go on past its limit of virtual time
├── Livelock               too many steps at one instant: something spins without sleeping
├── TaskFailed             a task raised and nobody awaited it
├── StartFailed            a host's application did not come up
└── Escape                 code reached out of the world: the same seed may not give the same run
    ├── ThreadForbidden        it asked for a thread, a subprocess or a real pause
    ├── RealNetworkForbidden   it asked for a real socket or a real name lookup
    ├── RealClockForbidden     it asked what time it really is
    └── RandomnessForbidden    it asked for randomness that no seed decides

HostDead is apart: it derives from BaseException, so that no ``except Exception`` of an
application can keep a crashed host alive.
"""

from __future__ import annotations


class WorldError(Exception):
    """Base of all; its text says what happened and what to do about it."""


class Deadlock(WorldError):
    """Nothing is left to wait for: no step is ready, no timer is set, and the run is not over."""


class OutOfTime(WorldError):
    """The next thing to happen lies after the run's limit of virtual time."""


class Livelock(WorldError):
    """Too many steps at one instant: something spins without letting time pass."""


class TaskFailed(WorldError):
    """A task or callback raised and nobody awaited it; the cause is chained."""


class StartFailed(WorldError):
    """A host's application raised or reported a failure while it started."""


class Escape(WorldError):
    """Code reached out of the world; the text names it."""


class ThreadForbidden(Escape):
    """A thread, a subprocess or a real pause was asked for: results would depend on the machine."""


class RealNetworkForbidden(Escape):
    """A real socket or a real name lookup was asked for; results would depend on the outside."""


class RealClockForbidden(Escape):
    """The real time was asked for; it differs in every run."""


class RandomnessForbidden(Escape):
    """Randomness was asked for that does not come from the seed."""


class HostDead(BaseException):
    """A crashed host tried to touch its disk or its network."""
