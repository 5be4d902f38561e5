"""``python -m psp_sim`` as a process, and a sink on a real socket."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from scenarios.targets.processes import serving
from tests.psp_sim.stand import API_KEY, Sink

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
# A busy machine may stand still for seconds: a provider loses patience only where a test says so.
PATIENT = {"PSP_CONNECT_TIMEOUT": "60s", "PSP_ATTEMPT_TIMEOUT": "60s"}
# A connection that was idle during a standstill may be closed at the moment when it is used again.
NO_IDLE_CONNECTIONS = httpx.Limits(max_keepalive_connections=0)


@asynccontextmanager
async def provider_process(
    folder: Path, *options: str, key: str | None = API_KEY, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``psp_sim serve`` in a folder of its own, and see to its end."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PSP_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        **({"PSP_API_KEY": key} if key else {}),
        "PSP_QUIET": "1",
        **PATIENT,
        **variables,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "psp_sim", "serve", *options),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def announcement(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Return the URL that the process announces and everything that it says with it."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(PATIENCE_S):
        while "Ctrl-C" not in said:
            line = (await process.stdout.readline()).decode()
            assert line, (await process.stderr.read()).decode()
            said += line
    found = re.match(r"psp-sim listening on (http://127\.0\.0\.1:[1-9][0-9]*)\n", said)
    assert found, said
    return found[1], said


async def complaint(process: asyncio.subprocess.Process) -> str:
    """Return the one line that a process which cannot start leaves behind."""
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b""), err.decode()
    lines = err.decode().splitlines()
    assert len(lines) == 1, err.decode()
    return lines[0]


def client_of(url: str) -> httpx.AsyncClient:
    """Return a client with the key of the stand."""
    headers = {"authorization": f"Bearer {API_KEY}"}
    return httpx.AsyncClient(
        base_url=url,
        headers=headers,
        trust_env=False,
        timeout=PATIENCE_S,
        limits=NO_IDLE_CONNECTIONS,
    )


@asynccontextmanager
async def real_sink() -> AsyncIterator[Sink]:
    """Serve a sink on a free port of this machine."""
    sink = Sink("sink", time.time)
    async with serving(sink) as url:
        sink.url = f"{url}/hooks"
        yield sink


async def until(is_so: Any, timeout_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds, and fail if it takes too long."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(0.02)
