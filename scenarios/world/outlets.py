"""The functions by which code gets at real time, chance and threads, and what stands there instead.

What is replaced is the name in its module. Whoever took hold of the function before the run
(``from time import time``), or of one in C that belongs to a class (``datetime.now``), is seen by
``call_watch`` only.
"""

from __future__ import annotations

import _thread
import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from types import FrameType
from typing import Any

from scenarios.world.errors import (
    RandomnessForbidden,
    RealClockForbidden,
    ThreadForbidden,
    WorldError,
)
from scenarios.world.refusals import NO_THREADS

NO_PAUSES = "virtual time does not pass while the process sleeps: await asyncio.sleep instead"
NO_CLOCK = "real time differs in every run: take the time from the clock that was passed in"
NO_CHANCE = "what comes of it differs in every run: draw from the random that was passed in"

# A clock → how many arguments it takes to only convert what is given. None: it always reads.
CLOCKS: dict[str, int | None] = {
    **dict.fromkeys(("time", "time_ns", "monotonic", "monotonic_ns")),
    **dict.fromkeys(("perf_counter", "perf_counter_ns", "process_time", "process_time_ns")),
    **dict.fromkeys(("localtime", "gmtime", "ctime", "asctime"), 1),
    "strftime": 2,
}
# All that the shared generator of the module ``random`` draws goes through these.
_DRAWS = ("random", "getrandbits", "_randbelow")
# Whose reading of the clock leaves no trace in a run: lines of a log, how long a response took, and
# whether a cookie that nobody sets has expired.
_HARMLESS = ("logging", "httpx._client", "http.cookiejar")

Refuse = Callable[[type[WorldError], str, str], None]


@dataclass(frozen=True, slots=True)
class Outlet:
    """An attribute, and what stands there during a run; ``before`` is put back after it."""

    owner: Any
    name: str
    before: Any
    during: Any

    def close(self) -> None:
        """Let the attribute refuse."""
        setattr(self.owner, self.name, self.during)

    def open(self) -> None:
        """Let the attribute be what it was."""
        if self.before is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.before)


_ABSENT = object()


def is_harmless(frame: FrameType | None) -> bool:
    """Tell whether the caller is known to do no harm, or is being imported: once in a process."""
    if frame is not None and frame.f_globals.get("__name__") in _HARMLESS:
        return True
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


def outlets(refuse: Refuse) -> list[Outlet]:
    """Return all of them. ``refuse`` raises if the thread that calls it is in a run."""
    return [*_of_threads(refuse), *_of_clocks(refuse), *_of_chance(refuse)]


def _of_threads(refuse: Refuse) -> Iterator[Outlet]:
    start, begin, sleep = threading.Thread.start, _thread.start_new_thread, time.sleep

    def start_thread(self: threading.Thread) -> None:
        refuse(ThreadForbidden, f"threading.Thread.start ({self.name})", NO_THREADS)
        start(self)

    yield Outlet(threading.Thread, "start", start, start_thread)
    yield _refusing(_thread, "start_new_thread", begin, refuse, ThreadForbidden, NO_THREADS)
    yield _refusing(time, "sleep", sleep, refuse, ThreadForbidden, NO_PAUSES)


def _of_clocks(refuse: Refuse) -> Iterator[Outlet]:
    for name, converts_with in CLOCKS.items():
        yield _clock(name, converts_with, refuse)


def _clock(name: str, converts_with: int | None, refuse: Refuse) -> Outlet:
    original = getattr(time, name)

    @wraps(original)
    def read(*arguments: Any) -> Any:
        only_converts = converts_with is not None and len(arguments) >= converts_with
        if not only_converts and not is_harmless(sys._getframe(1)):
            refuse(RealClockForbidden, f"time.{name}", NO_CLOCK)
        return original(*arguments)

    return Outlet(time, name, original, read)


def _of_chance(refuse: Refuse) -> Iterator[Outlet]:
    def closing(owner: Any, name: str) -> Outlet:
        original = getattr(owner, name)
        return _refusing(owner, name, original, refuse, RandomnessForbidden, NO_CHANCE)

    yield _seeding(refuse)
    yield closing(os, "urandom")
    yield closing(random, "_urandom")
    if getattr(uuid, "_generate_time_safe", None) is not None:
        yield closing(uuid, "_generate_time_safe")
    for name in ("random", "getrandbits"):
        yield closing(random, name)
    for name in _DRAWS:
        outlet = closing(random._inst, name)
        yield Outlet(random._inst, name, _ABSENT, outlet.during)


def _seeding(refuse: Refuse) -> Outlet:
    """A generator without a seed may be made, as long as it gets one before it draws."""
    seed = random.Random.seed

    @wraps(seed)
    def seed_it(self: random.Random, a: Any = None, version: int = 2) -> None:
        for name in _DRAWS:
            self.__dict__.pop(name, None)
            if a is None:
                draw = getattr(self, name)
                instead = _refusing(self, name, draw, refuse, RandomnessForbidden, NO_CHANCE)
                instead.close()
        seed(self, a, version)

    return Outlet(random.Random, "seed", seed, seed_it)


def _refusing(
    owner: Any, name: str, original: Any, refuse: Refuse, kind: type[WorldError], advice: str
) -> Outlet:
    where = getattr(owner, "__name__", "unseeded random")

    @wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        refuse(kind, f"{where}.{name}", advice)
        return original(*arguments, **named)

    return Outlet(owner, name, original, call)
