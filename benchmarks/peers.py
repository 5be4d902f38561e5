"""The same work on two well-known mocks: WireMock with its webhooks, and localstripe.

They are fetched when first asked for, into a folder that git ignores.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.figure import Figure
from benchmarks.http_load import ask, request, send_all
from benchmarks.processes import CouldNotStart, Running, cores, running, started
from benchmarks.watch import Watch

PEERS = Path(".peers")
REQUESTS = 2000
CONNECTIONS = 32
PATIENCE_S = 90.0


async def measured(folder: Path, ours: Sequence[Figure]) -> list[Figure]:
    """Measure both peers; tell how many times faster our payments were in the same run."""
    by_name = {each.name: each.value for each in ours}
    hooks = await _wiremock(folder)
    charges = await _localstripe(folder)
    figures = [
        Figure.alone("wiremock_webhooks_per_second", hooks[0], "1/s"),
        Figure.alone("localstripe_payments_per_second", charges[0], "1/s"),
    ]
    for position, per in enumerate(("per_second", "per_cpu_second")):
        own = by_name[f"payments_{per}"]
        figures.append(
            Figure.against(f"payments_{per}_to_wiremock", own, "1/s", "WireMock", hooks[position])
        )
        for what in ("payments", "payments_made"):
            name, ours_of_it = f"{what}_{per}_to_localstripe", by_name[f"{what}_{per}"]
            figures.append(
                Figure.against(name, ours_of_it, "1/s", "localstripe", charges[position])
            )
    return figures


async def _wiremock(folder: Path) -> tuple[float, float]:
    """Requests that are answered and lead to a webhook each: not signed, stored or retried."""
    jar = _wiremock_jar()
    port = _free_port()
    with ExitStack() as stack:
        consumer = stack.enter_context(running(["benchmarks.consumer"], folder, core=cores()[1]))
        options = ["--port", str(port), "--disable-banner", "--no-request-journal"]
        options += ["--use-chunked-encoding", "never"]
        command = ["java", "-jar", str(jar), *options]
        process = stack.enter_context(started(command, folder, core=cores()[0]))
        peer = Running(f"http://127.0.0.1:{port}", process)
        await _until_open(peer)
        stub = {
            "request": {"method": "POST", "urlPath": "/v1/payments"},
            "response": {"status": 201, "jsonBody": {"id": "pay_1", "status": "processing"}},
            "serveEventListeners": [
                {
                    "name": "webhook",
                    "parameters": {
                        "method": "POST",
                        "url": f"{consumer.url}/hooks",
                        "headers": {"content-type": "application/json"},
                        "body": json.dumps({"type": "payment.succeeded", "data": "x" * 500}),
                    },
                }
            ],
        }
        await ask(peer.url, request("POST", "/__admin/mappings", stub))
        one = request("POST", "/v1/payments", {"amount": 1099, "reference": "o1"})
        speed = (0.0, 0.0)
        # The first rounds are for its compiler.
        for before in (0, REQUESTS, 2 * REQUESTS):
            watch = Watch(peer)
            await send_all(peer.url, iter([one] * REQUESTS), CONNECTIONS)
            async with asyncio.timeout(PATIENCE_S):
                while int(await ask(consumer.url, request("GET", "/"))) < before + REQUESTS:
                    await asyncio.sleep(0.02)
            measured = watch.speed(REQUESTS)
            speed = (measured.per_second, measured.per_cpu_second)
        return speed


async def _localstripe(folder: Path) -> tuple[float, float]:
    """Payment intents made; it sends no webhook for them here, and stores nothing.

    The same work of ours is a payment made; one that is delivered and recorded too does far more.
    """
    python = _localstripe_python()
    port = _free_port()
    command = [str(python), "-m", "localstripe", "--port", str(port), "--from-scratch"]
    with started(command, folder, core=cores()[0]) as process:
        peer = Running(f"http://127.0.0.1:{port}", process)
        await _until_open(peer)
        body = urlencode({"amount": 1099, "currency": "eur"})
        head = (
            "POST /v1/payment_intents HTTP/1.1\r\nhost: benchmark\r\n"
            "authorization: Bearer sk_test_12345\r\n"
            "content-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        one = (head + body).encode()
        await send_all(peer.url, iter([one] * 100), CONNECTIONS)
        watch = Watch(peer)
        load = await send_all(peer.url, iter([one] * (REQUESTS // 2)), CONNECTIONS)
        speed = watch.speed(REQUESTS // 2)
        assert set(load.statuses) == {200}, load.statuses
        return speed.per_second, speed.per_cpu_second


def _wiremock_jar() -> Path:
    folder = PEERS / "wiremock"
    if not list(folder.rglob("wiremock-standalone-*.jar")):
        folder.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "wiremock@3"], folder)
    return next(folder.rglob("wiremock-standalone-*.jar"))


def _localstripe_python() -> Path:
    python = PEERS / "localstripe/bin/python"
    if not list(PEERS.glob("localstripe/lib/*/site-packages/localstripe")):
        PEERS.mkdir(exist_ok=True)
        _run([sys.executable, "-m", "venv", "localstripe"], PEERS)
        _run(["localstripe/bin/python", "-m", "pip", "install", "-q", "localstripe"], PEERS)
    return python.absolute()


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CouldNotStart(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _until_open(peer: Running) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    port = int(peer.url.rpartition(":")[2])
    while time.monotonic() < ends_at and peer.process.poll() is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.2)
        else:
            writer.close()
            return
    raise CouldNotStart(f"{peer.url} does not answer")
