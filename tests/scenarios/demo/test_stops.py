"""Who watches the page while the demo is stopped does not keep it from a quiet end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.scenarios.demo.stand import Demo, demo, is_alive

pytestmark = pytest.mark.live
CTRL_C = b"\x03"

# Makes its standard input the terminal that Ctrl-C comes from, then becomes the demo.
IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "scenarios", "demo", *sys.argv[1:]])
"""


@asynccontextmanager
async def _an_open_page(running: Demo) -> AsyncIterator[None]:
    async with (
        httpx.AsyncClient(base_url=running.url) as client,
        client.stream("GET", "/messages") as messages,
    ):
        lines = messages.aiter_lines()
        await anext(lines)
        yield


async def _ends_quietly(running: Demo) -> None:
    assert await running.end() == 130
    assert not [pid for pid in running.children if is_alive(pid)]
    assert "Traceback" not in running.said
    assert "ended by itself" not in running.said
    assert "Cancel" not in running.said


async def test_ctrl_c_in_a_terminal_is_quiet_although_a_page_is_open(tmp_path: Path) -> None:
    ours, terminal = os.openpty()
    command = (sys.executable, "-c", IN_A_TERMINAL)
    async with (
        demo(tmp_path, command=command, terminal=terminal) as running,
        _an_open_page(running),
    ):
        os.write(ours, CTRL_C)
        await _ends_quietly(running)
    os.close(ours)
    os.close(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_polite_kill_is_quiet_although_a_page_is_open(tmp_path: Path, number: int) -> None:
    async with demo(tmp_path) as running, _an_open_page(running):
        running.process.send_signal(number)
        await _ends_quietly(running)


async def test_who_stops_the_processes_too_sees_no_trouble(tmp_path: Path) -> None:
    async with demo(tmp_path) as running, _an_open_page(running):
        running.process.send_signal(signal.SIGTERM)
        for pid in running.children:
            os.kill(pid, signal.SIGTERM)
        await _ends_quietly(running)


async def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        running.process.kill()
        await running.end()
        for _ in range(1000):
            if not [pid for pid in running.children if is_alive(pid)]:
                return
            await asyncio.sleep(0.02)
    raise AssertionError("something is left")
