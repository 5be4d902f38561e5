"""A bell that wakes whoever waits for something to have changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

# A loop's clock and its timers do not round alike: a timer may fire a little before its moment.
# Who then found time left and waited again would spin.
TIMER_RESOLUTION_S = 0.001


class Bell:
    """Take ``next_ring()`` before looking at the state, and wait on it after: no ring is missed."""

    def __init__(self) -> None:
        self._ring: asyncio.Event | None = None
        # Where other processes have to hear it too.
        self.pass_on: Callable[[], None] | None = None

    def ring(self) -> None:
        """Wake everybody who waits, here and elsewhere."""
        if self._ring is not None:
            self.echo()
        if self.pass_on is not None:
            self.pass_on()

    def echo(self) -> None:
        """Wake everybody who waits here: it has rung in another process."""
        if self._ring is not None:
            self._ring.set()
            self._ring = None

    def next_ring(self) -> asyncio.Event:
        """Return the event that the next ring will set."""
        if self._ring is None:
            self._ring = asyncio.Event()
        return self._ring


async def wait_for_ring(ring: asyncio.Event, timeout_s: float | None) -> None:
    """Wait for the ring, at most ``timeout_s`` seconds (None: without a limit)."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await ring.wait()
