"""Wall clocks of virtual time: loop microseconds in, Unix seconds out."""

from __future__ import annotations

from scenarios.world.latency import MICROSECONDS
from scenarios.world.loop import VirtualTimeLoop


class VirtualClock:
    """One host's wall clock; ``skew_s`` is how far it runs ahead and may be changed at any time."""

    def __init__(self, loop: VirtualTimeLoop, start: float, skew_s: float = 0.0) -> None:
        self._loop = loop
        self._start = start
        self.skew_s = skew_s

    def now(self) -> float:
        """Return the time in Unix seconds, UTC, as this host believes it to be."""
        return self._start + self._loop.now_us / MICROSECONDS + self.skew_s
