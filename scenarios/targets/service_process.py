"""Somebody's service as a process group: started, watched, killed, paused, started again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from scenarios.api import Api
from scenarios.errors import Unreachable, WrongUsage
from scenarios.targets.end_orphans import end_with_us, has_ended

STOP_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.05
LINE_MAX = 200

# How runtimes begin the line that says what went wrong; some write more lines after it.
_ERROR = re.compile(r"^\s*([\w.]*(Error|Exception)\b|panic:|fatal\b|error\b)", re.IGNORECASE)


@dataclass
class ServiceProcess:
    """A command that serves at ``api``. ``ready`` is a path; None takes any answer at all.

    It runs in a session of its own, so that what it starts dies with it and Ctrl-C reaches the
    harness alone, which then stops it in an orderly way.
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    log: Path
    api: Api
    ready: str | None
    ready_within_s: float
    took_s: float = 0.0
    _process: asyncio.subprocess.Process | None = None
    _output: IO[bytes] | None = field(default=None, repr=False)
    _is_killed: bool = False

    async def start(self) -> None:
        """Start it, and leave it to ``wait_until_ready`` to see it answer. Raises WrongUsage."""
        if self._output is None:
            self._output = self.log.open("ab")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.folder,
                env=os.environ | self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        except OSError as problem:
            raise WrongUsage(
                f"start: cannot run {self.command[0]!r} in {self.folder}: {problem.strerror}"
            ) from problem
        self._is_killed = False
        end_with_us(-self._process.pid)

    async def wait_until_ready(self) -> None:
        """Wait for the first good answer. Raises Unreachable, with the log's last line.

        ``took_s`` is then how long that was.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        path = self.ready or "/"
        reason = "it did not answer"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.ready_within_s):
                while True:
                    if self.died is not None:
                        raise Unreachable(f"{self.died} before it was ready; {self.last_line()}")
                    try:
                        status, _ = await self.api.call("GET", path)
                    except httpx.HTTPError:
                        reason = "it did not answer"
                    else:
                        if self.ready is None or 200 <= status < 300:
                            self.took_s = loop.time() - began
                            return
                        reason = f"it answered {status}"
                    await asyncio.sleep(LOOK_EVERY_S)
        raise Unreachable(
            f"the service was not ready within {self.ready_within_s:g} s: "
            f"GET {self.api.base_url}{path}: {reason}; {self.last_line()}"
        )

    @property
    def died(self) -> str | None:
        """Say how it came to its end without our doing, or None."""
        if self._process is None or self._process.returncode is None or self._is_killed:
            return None
        status = self._process.returncode
        how = f"exit status {status}" if status >= 0 else signal.Signals(-status).name
        return f"the service ended by itself ({how})"

    def kill(self) -> None:
        """End it at this very moment, with all that it started, as a power cut would."""
        self._is_killed = True
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def wait_until_gone(self) -> None:
        """Wait for the end of a process that was killed."""
        if self._process is not None:
            await self._process.wait()
            has_ended(-self._process.pid)

    async def stop(self) -> None:
        """Ask it to end, and kill what is left of it after a short while."""
        try:
            if self._process is not None and self._process.returncode is None:
                self.resume()
                self._is_killed = True
                self._signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_TIMEOUT_S):
                        await self._process.wait()
        finally:
            # What it started may outlive it.
            self.kill()
            await self.wait_until_gone()
            if self._output is not None:
                self._output.close()

    def last_line(self) -> str:
        """Return the last line that tells of an error, else the last, with an introduction."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        told = [line for line in lines if _ERROR.search(line)]
        if told:
            return f"it said: {told[-1].strip()[:LINE_MAX]}"
        return f"its last line: {lines[-1].strip()[:LINE_MAX]}" if lines else "it wrote nothing"

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


# Below the range from which systems take the ports of outgoing connections: one of those could sit
# on a service's port while the service is down.
_NUMBERS = itertools.count()
_PORTS_IN_USE: set[int] = set()


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    """Give a port of this machine that nobody listens on, and to nobody else until the end."""
    # Harnesses that run side by side begin at different places.
    offset = os.getpid() * 97
    shifted = (20000 + (number + offset) % 12000 for number in _NUMBERS)
    port = next(port for port in shifted if _is_free(port))
    _PORTS_IN_USE.add(port)
    try:
        yield port
    finally:
        _PORTS_IN_USE.discard(port)


def _is_free(port: int) -> bool:
    if port in _PORTS_IN_USE:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_taken(host: str, port: int) -> bool:
    """Tell whether somebody already listens there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
