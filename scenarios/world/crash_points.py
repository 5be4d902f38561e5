"""Where a host is to die: a place in its own IO, the n-th time that it gets there."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.world.ports import CrashMode, CrashSite, CrashWhen


@dataclass(slots=True)
class CrashPoint:
    """One planned crash; ``fired`` says whether it came to pass, ``fired_at_s`` when, by the loop.

    ``nth`` counts from 1 over all incarnations, among the passages whose path starts with ``path``.
    ``down_s`` is how long the host stays down; None leaves it down until somebody restarts it.
    ``commits_lost`` is how many commits go with the power, of those that its disk has cached.
    """

    host: str
    site: CrashSite
    nth: int = 1
    when: CrashWhen = "before"
    down_s: float | None = 1.0
    mode: CrashMode = "kill"
    path: str = ""
    commits_lost: int = 0
    seen: int = 0
    fired: bool = False
    fired_at_s: float | None = None
    enabled: bool = True

    def is_hit(self, site: CrashSite, path: str) -> bool:
        """Count a passage of the site; return whether it is the one."""
        if self.site != site or not path.startswith(self.path):
            return False
        self.seen += 1
        return self.seen == self.nth


class CrashPoints:
    """The crash points of one host, and how often each of its sites was passed."""

    def __init__(self, crash: Callable[[CrashPoint], None]) -> None:
        self.passages: Counter[CrashSite] = Counter()
        self._crash = crash
        self._points: list[CrashPoint] = []

    @property
    def points(self) -> Sequence[CrashPoint]:
        """Every point that was planned, with how often its place was passed."""
        return self._points

    def add(self, point: CrashPoint) -> None:
        """Watch for one more point."""
        self._points.append(point)

    def disable(self) -> None:
        """Let no point fire any more."""
        for point in self._points:
            point.enabled = False

    def passing(self, site: CrashSite, path: str = "") -> Sequence[CrashPoint]:
        """Count a passage and return the points that it hits, for ``reach`` before and after."""
        self.passages[site] += 1
        return [point for point in self._points if point.is_hit(site, path)] if self._points else ()

    async def reach(self, points: Sequence[CrashPoint], when: CrashWhen) -> None:
        """Crash the host if one of these points is due. Then this never returns.

        Waiting for ever, where an exception would run the application's ``finally`` blocks, is what
        makes the rest of the coroutine not happen.
        """
        for point in points:
            if point.when == when and point.enabled:
                loop = asyncio.get_running_loop()
                point.fired, point.fired_at_s = True, loop.time()
                self._crash(point)
                await loop.create_future()
