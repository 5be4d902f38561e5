"""A stop watch on a process: by the clock, and by the processor time that it used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.processes import Running


@dataclass(frozen=True)
class Speed:
    """A rate by the clock, and by the processor time of what is measured; its memory at the end.

    On a machine with nothing else to do the two are the same for a process that is the bottleneck.
    On a busy one only the second says something about the process.
    """

    per_second: float
    per_cpu_second: float
    memory_mb: float


class Watch:
    """Runs from when it is made."""

    def __init__(self, *running: Running) -> None:
        self._running = running
        self._started_at = time.perf_counter()
        self._cpu_s = self._cpu()

    def speed(self, number: int) -> Speed:
        """Return what the processes did of something in the time since."""
        lasted_s = time.perf_counter() - self._started_at
        cpu_s = max(self._cpu() - self._cpu_s, 0.01)
        memory_mb = max(each.memory_mb() for each in self._running)
        return Speed(number / lasted_s, number / cpu_s, memory_mb)

    def _cpu(self) -> float:
        return sum(each.cpu_s() for each in self._running)


async def in_parallel(work: Callable[[], Awaitable[None]], times: int, at_once: int) -> None:
    """Do something so many times, so many of them at once."""
    left = iter(range(times))

    async def do() -> None:
        for _ in left:
            await work()

    await asyncio.gather(*(do() for _ in range(at_once)))
