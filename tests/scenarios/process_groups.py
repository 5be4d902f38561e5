"""Who belongs to a process that was started with a session of its own, children's children too."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120.0


def in_group(leader: int) -> list[str]:
    """Return the command lines of the processes in a group, its leader's among them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state != "Z":
                found.append((stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def wait_until(has_happened: Callable[[], bool]) -> None:
    """Wait for something to happen, however slow the machine is."""
    ends_at = time.monotonic() + _PATIENCE_S
    while not has_happened():
        assert time.monotonic() < ends_at
        time.sleep(0.02)
