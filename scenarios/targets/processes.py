"""Our services as real processes: started on free ports, watched, and always stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from psp_sim.server import KEEP_ALIVE_S, AbortableProtocol, bind, url_of
from scenarios.errors import Unreachable
from scenarios.targets.end_orphans import end_with_us, has_ended

# Patient, since a machine may be busy; one that works takes a second.
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 8.0
GRACEFUL_STOP_S = 1
_LISTENING = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True, slots=True)
class Started:
    """A process that listens on a URL."""

    url: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def running(name: str, arguments: Sequence[str], log: Path) -> AsyncIterator[str]:
    """Run ``python ARGUMENTS`` and yield the URL that it says it listens on.

    What it writes goes to ``log``. Raises Unreachable, with the log's last line, if it will not
    start.
    """
    async with started(name, arguments, log) as service:
        yield service.url


@asynccontextmanager
async def started(
    name: str, arguments: Sequence[str], log: Path, *, in_own_session: bool = False
) -> AsyncIterator[Started]:
    """Do the same, and yield the process too, so that its end can be noticed.

    In a session of its own it does not hear Ctrl-C: whoever started it stops it in an orderly way.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=in_own_session,
        )
        end_with_us(process.pid)
        try:
            yield Started(await _url(name, process, log), process)
        finally:
            await _stop(process)
            has_ended(process.pid)


async def _url(name: str, process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT_S):
            while line := (await process.stdout.readline()).decode():
                if found := _LISTENING.search(line):
                    return found[1]
    raise Unreachable(f"the {name} did not start: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                # Draining the pipe lets a process that still writes come to its end.
                await process.communicate()
    finally:
        # Also when whoever waits is cancelled once more: nothing may be left running.
        if process.returncode is None:
            process.kill()
            await process.wait()


class _QuietServer(uvicorn.Server):
    """A server that leaves the process's signals alone: they are the harness's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@contextlib.contextmanager
def listening(port: int, named: str) -> Iterator[socket.socket]:
    """Give a socket bound to a port of this machine; 0 takes a free one. Raises Unreachable.

    ``named`` is what the reader can change when the port is taken.
    """
    try:
        bound = bind("127.0.0.1", port)
    except OSError as problem:
        raise Unreachable(
            f"port {port} ({named}) is taken by another program: stop that, or name another port"
        ) from problem
    with bound:
        yield bound


@asynccontextmanager
async def serving(app: ASGIApp, bound: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve an application of the harness itself, on a free port if not told; yield its URL."""
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
    )
    server = _QuietServer(config)
    with contextlib.nullcontext(bound) if bound else bind("127.0.0.1", 0) as own:
        assert own is not None
        task = asyncio.create_task(server.serve(sockets=[own]))
        try:
            await server.has_started.wait()
            yield url_of(own)
        finally:
            server.should_exit = True
            await task
