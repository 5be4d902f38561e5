"""Processes under measurement: started on a core of their own, asked for their cost, stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
_LISTENING = re.compile(r"listening on (http://\S+)")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class CouldNotStart(Exception):
    """A process did not come up; the text is what it said."""


@dataclass
class Running:
    """A process and where it listens."""

    url: str
    process: subprocess.Popen[str]

    def cpu_s(self) -> float:
        """Seconds of processor time that it has used, all its threads together."""
        return cpu_s_of(self.process.pid)

    def memory_mb(self) -> float:
        """Memory that is its own, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def running(
    module: Sequence[str],
    folder: Path,
    *,
    core: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run ``python -m MODULE …`` on one core until the block is left. Raises CouldNotStart."""
    with started([sys.executable, "-m", *module], folder, core=core, settings=settings) as process:
        yield Running(_url(process, folder), process)


@contextmanager
def started(
    command: Sequence[str],
    folder: Path,
    *,
    core: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block is left; what it says goes to ``PID.log`` in the folder."""
    log = folder / "output.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(settings or {})},
        )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def cpu_s_of(pid: int) -> float:
    """Seconds of processor time that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def cores() -> tuple[int | None, int | None]:
    """Return a core for what is measured and one for all else; None where there are not two."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def _url(process: subprocess.Popen[str], folder: Path) -> str:
    assert process.stdout is not None
    ends_at = time.monotonic() + START_WITHIN_S
    while time.monotonic() < ends_at:
        line = process.stdout.readline()
        found = _LISTENING.search(line)
        if found:
            return found[1]
        if not line:
            break
    raise CouldNotStart((folder / "output.log").read_text()[-2000:] or "it ended without a word")
