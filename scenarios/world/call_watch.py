"""Every call into C is looked at while a run lasts: what the names in modules cannot show is seen.

That costs as much as the run itself, so it is for the runs that are played twice.
"""

from __future__ import annotations

import datetime
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from scenarios.world.errors import RandomnessForbidden, RealClockForbidden, WorldError
from scenarios.world.outlets import CLOCKS, NO_CHANCE, NO_CLOCK, is_harmless

_OF_DATES = frozenset({"now", "utcnow", "today"})
_ALWAYS_READ = {id(getattr(time, name)) for name, needs in CLOCKS.items() if needs is None}
_SHARED: random.Random = random._inst
_NAMES = frozenset({*CLOCKS, *_OF_DATES, "urandom", "random", "getrandbits"})

Found = Callable[[type[WorldError], str, str], object]


@contextmanager
def watching(found: Found) -> Iterator[None]:
    """Tell ``found`` of each call that reads real time or draws real chance.

    A debugger or profiler that is at work already stays, and nothing is watched.
    """
    if sys.getprofile() is not None:
        yield
        return

    def look(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in _NAMES and not _is_ours(frame):
            escape = _escape(function)
            if escape is not None and not is_harmless(frame):
                found(*escape)

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)


def _is_ours(frame: FrameType) -> bool:
    """Tell whether an outlet has let the call through: it has been judged there."""
    return bool(frame.f_globals.get("__name__") == "scenarios.world.outlets")


def _escape(function: Any) -> tuple[type[WorldError], str, str] | None:
    name, owner = function.__name__, getattr(function, "__self__", None)
    if id(function) in _ALWAYS_READ:
        return RealClockForbidden, f"time.{name}", NO_CLOCK
    if name in _OF_DATES and isinstance(owner, type) and issubclass(owner, datetime.date):
        return RealClockForbidden, f"{owner.__name__}.{name}", NO_CLOCK
    if name == "urandom" and owner is os.urandom.__self__:  # type: ignore[attr-defined]
        return RandomnessForbidden, "os.urandom", NO_CHANCE
    if name in ("random", "getrandbits") and owner is _SHARED:
        return RandomnessForbidden, f"random.{name}", NO_CHANCE
    return None
