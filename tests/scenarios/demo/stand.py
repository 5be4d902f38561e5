"""The demo as a process, and what it started."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
PATIENCE_S = 240
PROCESSES = 6


@dataclass
class Demo:
    """A running demo. ``children`` are the processes that it has told of so far."""

    process: asyncio.subprocess.Process
    url: str = ""
    children: list[int] = field(default_factory=list)
    said: str = ""

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def end(self) -> int:
        """Wait for its end; return the exit status."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def is_alive(pid: int) -> bool:
    """Tell whether there is such a process, other than one that waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@asynccontextmanager
async def demo(
    folder: Path,
    options: Sequence[str] = ("--port", "0"),
    command: Sequence[str] = (sys.executable, "-m", "scenarios", "demo"),
    terminal: int | None = None,
) -> AsyncIterator[Demo]:
    """Run the demo; whatever happens, neither it nor what it started outlives the block."""
    process = await asyncio.create_subprocess_exec(
        *(*command, *options),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=terminal,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=terminal is not None,
    )
    running = Demo(process)
    hearing = asyncio.create_task(_hear(running))
    try:
        if "--for" not in options:
            async with asyncio.timeout(PATIENCE_S):
                line = (await process.stdout.readline()).decode()
            found = re.search(r"http://[0-9.:]+", line)
            assert found, line + running.said
            running.url = found[0]
            await all_are_told_of(running)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        await hearing
        for pid in running.children:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


async def all_are_told_of(running: Demo) -> None:
    """Wait until what was said of the processes has been heard, which is another pipe."""
    async with asyncio.timeout(PATIENCE_S):
        while len(running.children) < PROCESSES:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _hear(running: Demo) -> None:
    async for line in running.process.stderr:
        running.said += line.decode()
        if found := re.search(rb"as process (\d+)", line):
            running.children.append(int(found[1]))
