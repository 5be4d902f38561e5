"""A command comes in; the URL of a service in a process of its own goes out, until the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from loadtests.end_orphans import ended_with_us
from loadtests.stopping import stop_held_back

# Patient, since a machine may be busy; a service that works takes a second.
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.05
LOG_LINES_SHOWN = 3
_LISTENING = re.compile(rb"listening on (http://\S+)")


class CouldNotStart(Exception):
    """A process that the load test needs did not come up; the text says what it said."""


class Running(NamedTuple):
    """A service that has come up: where it listens, and the number of its process."""

    url: str
    process_id: int


@contextmanager
def running(
    name: str, module: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run ``python -m MODULE …``; yield where it says it listens; stop it at the end.

    Its output goes to ``NAME.log`` in the folder; the settings are environment variables. Raises
    CouldNotStart.
    """
    with started(name, module, folder, settings) as process:
        yield Running(url_of(name, process, folder), process.pid)


@contextmanager
def started(
    name: str, module: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m MODULE …`` in a process group of its own; stop it at the end.

    Of its own, so that Ctrl-C on a terminal reaches us alone and we stop things in their order.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **(settings or {})}
    with ExitStack() as stack:
        with stop_held_back(), (folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            stack.enter_context(ended_with_us(-process.pid))
            stack.callback(_stop, process)
        yield process


def last_lines(name: str, folder: Path) -> str:
    """Return the end of what a process said, on one line."""
    text = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-LOG_LINES_SHOWN:]) or "it said nothing"


def url_of(name: str, process: subprocess.Popen[bytes], folder: Path) -> str:
    """Wait for a started process to say where it listens; return that. Raises CouldNotStart."""
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up_at:
        if found := _LISTENING.search((folder / f"{name}.log").read_bytes()):
            return found[1].decode()
        if process.poll() is not None:
            break
        time.sleep(LOOK_EVERY_S)
    raise CouldNotStart(f"the {name} did not start: {last_lines(name, folder)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
