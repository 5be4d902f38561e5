"""Processes and folders come in; should we be killed, a process of its own ends and removes them.

Whoever is stopped tidies up by itself. SIGKILL leaves no time for that, so somebody else has to
notice: this file, run as a program of its own, which reads what there is until we are gone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# What was killed may write into a folder for a moment yet.
_REMOVE_TRIES, _REMOVE_AGAIN_AFTER_S = 50, 0.1


@contextmanager
def ended_with_us(number: int) -> Iterator[None]:
    """Have a process ended if we are killed; of a negative number, the group of that number."""
    with _watched(f"process {number}"):
        yield


@contextmanager
def removed_with_us(folder: Path) -> Iterator[None]:
    """Have a folder removed if we are killed."""
    with _watched(f"folder {folder}"):
        yield


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder; remove it at the end, even at that of a process that is killed."""
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as folder,
        removed_with_us(Path(folder)),
    ):
        yield Path(folder)


@contextmanager
def _watched(what: str) -> Iterator[None]:
    watcher = _watcher()
    watcher.tell("+", what)
    try:
        yield
    finally:
        watcher.tell("-", what)


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

    def tell(self, sign: str, what: str) -> None:
        """Add (+) or take away (-) what is watched."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{sign} {what}\n".encode())
            self._process.stdin.flush()

    def _close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


@cache
def _watcher() -> _Watcher:
    return _Watcher()


def watch(lines: Iterable[bytes]) -> None:
    """Take note of what there is until the lines end; then end and remove what is left."""
    left: dict[str, None] = {}
    for line in lines:
        sign, what = line.decode().rstrip("\n").split(" ", 1)
        if sign == "+":
            left[what] = None
        else:
            left.pop(what, None)
    things = [what.split(" ", 1) for what in left]
    for kind, name in things:
        if kind == "process":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(name), signal.SIGKILL)
    for kind, name in things:
        if kind == "folder":
            _remove(Path(name))


def _remove(folder: Path) -> None:
    for _ in range(_REMOVE_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_REMOVE_AGAIN_AFTER_S)


if __name__ == "__main__":
    watch(sys.stdin.buffer)
