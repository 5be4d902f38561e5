"""A process that was started here is ended here, however often whoever started it is told to go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scenarios.targets.processes import started
from tests.scenarios.demo.stand import is_alive

pytestmark = pytest.mark.live

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("listening on http://127.0.0.1:1", flush=True)
signal.pause()
"""


async def test_a_process_that_will_not_stop_is_killed_by_a_second_cancellation(
    tmp_path: Path,
) -> None:
    pids: asyncio.Queue[int] = asyncio.Queue()

    async def run() -> None:
        async with started("stub", ["-c", STUBBORN], tmp_path / "log") as service:
            pids.put_nowait(service.process.pid)
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    pid = await pids.get()
    task.cancel()
    await asyncio.sleep(0.1)
    assert is_alive(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(pid)
