"""Processes and groups of them come in; should we be killed, a process of its own ends them.

Whoever is stopped ends its services itself. SIGKILL leaves no time for that, so somebody else has
to notice: this file, run as a program of its own, which reads what to watch until we are gone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from functools import cache


def end_with_us(number: int) -> None:
    """Have a process ended if we are killed; of a negative number, the group of that number."""
    _watcher().tell(b"+", number)


def has_ended(number: int) -> None:
    """It is gone: from now on its number may be that of somebody else."""
    _watcher().tell(b"-", number)


class _Watcher:
    """Our end of the line on which the watching process learns what there is, and of our end."""

    def __init__(self) -> None:
        # In a session of its own: what kills the whole of our group must not reach it.
        self._process = subprocess.Popen(  # noqa: S603 - our own Python and this very file
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self._close)

    def tell(self, sign: bytes, number: int) -> None:
        """Add (+) or take away (-) what is watched."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"%s %d\n" % (sign, number))
            self._process.stdin.flush()

    def _close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


@cache
def _watcher() -> _Watcher:
    return _Watcher()


def watch(lines: Iterable[bytes]) -> None:
    """Take note of what there is until the lines end; then kill what is left."""
    numbers: set[int] = set()
    for line in lines:
        sign, text = line.split()
        if sign == b"+":
            numbers.add(int(text))
        else:
            numbers.discard(int(text))
    for number in numbers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)


if __name__ == "__main__":
    watch(sys.stdin.buffer)
