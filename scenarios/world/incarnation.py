"""One life of a host, from start to crash or stop: what belongs to it, whether it still runs."""

from __future__ import annotations

import asyncio
import contextvars

from scenarios.world.errors import HostDead
from scenarios.world.exchange import Exchange
from scenarios.world.loop import OWNER

# Which piece of work this is: the key of the request being handled, or "" in the background.
WORK: contextvars.ContextVar[str] = contextvars.ContextVar("work", default="")


class Incarnation:
    """The owner of all work of one life of a host.

    Tasks, timers and callbacks inherit the context that names it. Work that starts from outside
    takes ``new_context()``, since a context given to a task is used as it is and not copied.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.running = True
        self.dead = False
        self.incoming: dict[int, Exchange] = {}
        self.outgoing: dict[int, Exchange] = {}
        self._context = contextvars.Context()
        self._context.run(OWNER.set, self)
        self._parked: list[asyncio.Handle] = []

    def new_context(self, work: str = "") -> contextvars.Context:
        """Return a context of its own for one piece of this life's work."""
        context = self._context.copy()
        if work:
            context.run(WORK.set, work)
        return context

    def park(self, handle: asyncio.Handle) -> None:
        """Keep a handle: until ``unpark`` when paused, until the end of the run when dead."""
        self._parked.append(handle)

    def unpark(self) -> list[asyncio.Handle]:
        """Hand back the parked handles, in order."""
        handles, self._parked = self._parked, []
        return handles

    def fence(self) -> None:
        """From now on nothing of this life runs, and nothing that it holds answers."""
        self.running = False
        self.dead = True

    def check_alive(self) -> None:
        """Raise HostDead if this life is over."""
        if self.dead:
            raise HostDead(f"{self!r} is dead")

    def __repr__(self) -> str:
        return f"<incarnation {self.number} of {self.name}>"
