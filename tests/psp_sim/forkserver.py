"""Providers by the hundred: the imports are paid once, each start is a fork of its own.

Run as ``python -m tests.psp_sim.forkserver OPTIONS``. Each line on standard input starts one
``psp-sim serve OPTIONS``, which first says ``pid NUMBER`` and then what it always says.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psp_sim.__main__ import main
from tests.psp_sim.processes import PATIENCE_S, PATIENT
from tests.psp_sim.stand import API_KEY

ROOT = Path(__file__).parents[2]


class Providers:
    """The asking side: starts providers, one at a time."""

    def __init__(self, server: asyncio.subprocess.Process) -> None:
        self._server = server

    async def start(self) -> int:
        """Start a provider; return its process id as soon as there is one."""
        assert self._server.stdin is not None
        self._server.stdin.write(b"start\n")
        return int(await self._said(r"pid (\d+)\n"))

    async def url(self) -> str:
        """Return where the provider that was started last listens, once it does."""
        return await self._said(r"psp-sim listening on (\S+)\n")

    async def _said(self, pattern: str) -> str:
        assert self._server.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._server.stdout.readline()).decode():
                if found := re.fullmatch(pattern, line):
                    return found[1]
        raise AssertionError("the server of forks has ended")


@asynccontextmanager
async def providers(folder: Path, *options: str) -> AsyncIterator[Providers]:
    """Be ready to start providers in a folder; end what is left of them."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("PSP_")}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.psp_sim.forkserver", *options),
        cwd=folder,
        env=own | PATIENT | {"PYTHONPATH": str(ROOT), "PSP_API_KEY": API_KEY, "PSP_QUIET": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Providers(server)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        await server.wait()


def kill(process_id: int) -> None:
    """``kill -9``."""
    os.kill(process_id, signal.SIGKILL)


def serve_forks(options: list[str]) -> None:
    """Start a provider for each line of standard input."""
    # The dead are buried by the system.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            print("pid", os.getpid(), flush=True)
            os._exit(main(["serve", *options]))


if __name__ == "__main__":
    serve_forks(sys.argv[1:])
