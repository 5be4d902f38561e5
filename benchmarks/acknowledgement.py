"""How fast a webhook is acknowledged while its processing is slow, beside an idle shop's median.

Both at one fixed rate. Idle: webhooks of a type that sets nothing off. Loaded: webhooks of real
payments, each of which takes 100 ms to process, so that the inbox only grows. Times run from when a
webhook was due to be sent, so a shop that stalls is not let off the hook.

``python -m benchmarks.acknowledgement [--seconds 10] [--rate 50] [--rounds 3] [--database URL]``
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  of the specification's example
PROCESSING_MS = 100
IDLE_CALLS = 200
# A loop wakes up to a millisecond late; so much of the wait is spent looking at the clock.
AWAKE_S = 0.002
START_WITHIN_S, ANSWER_WITHIN_S = 60.0, 30.0
RATIO_MAX = 5.0
WISH = {"items": [{"sku": "mug", "quantity": 1}], "email": "ada@example.com"}


@dataclass(frozen=True)
class Round:
    """Milliseconds of one idle and one loaded measurement."""

    idle_median: float
    idle_p99: float
    loaded_median: float
    loaded_p99: float
    waiting: int

    @property
    def ratio(self) -> float:
        """The loaded 99th percentile beside the idle median."""
        return self.loaded_p99 / self.idle_median

    def told(self) -> str:
        """One line for a person."""
        return (
            f"idle median {self.idle_median:.2f} ms, p99 {self.idle_p99:.2f} ms; loaded median "
            f"{self.loaded_median:.2f} ms, p99 {self.loaded_p99:.2f} ms: {self.ratio:.1f} times "
            f"the idle median, with {self.waiting} events waiting at the end"
        )


class Line:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        self._writer.write(request)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await self._reader.readexactly(int(length[1]) if length else 0)
        return int(head.split(b" ", 2)[1]), body


def request_for(path: str, body: bytes, headers: Sequence[str] = (), method: str = "POST") -> bytes:
    """A whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "host: shop", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def webhook(event_id: str, kind: str, data: object) -> bytes:
    """A signed webhook (Standard Webhooks 1.0.0, v1) as a request."""
    event = {"id": event_id, "type": kind, "timestamp": "2026-01-01T00:00:00Z", "sequence": 2}
    body = json.dumps({**event, "data": data}).encode()
    at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    names = (f"webhook-id: {event_id}", f"webhook-timestamp: {at}")
    signature = f"webhook-signature: v1,{base64.b64encode(signed).decode()}"
    return request_for("/webhooks/psp", body, (*names, signature, "content-type: application/json"))


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """As much of a provider as a shop needs that is to wait for webhooks."""

    async def create_endpoint(request: Request) -> Response:
        asked = await request.json()
        return JSONResponse({"id": "we_1", "secret": SECRET, **asked}, 201)

    async def create_payment(request: Request) -> Response:
        asked = await request.json()
        payment = {"id": f"pay_{asked['reference']}", "status": "processing", "sequence": 1}
        return JSONResponse({**payment, **asked}, 201)

    routes = [
        Route("/v1/webhook_endpoints", create_endpoint, methods=["POST"]),
        Route("/v1/payments", create_payment, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def slow_shop(database: str, psp: str) -> AsyncIterator[int]:
    """The port of a shop whose processing is slow."""
    command = ("-m", "benchmarks.slow_shop", str(PROCESSING_MS), "serve", "--port", "0")
    options = ("--database", database, "--psp", psp, "--tracking", "webhooks", "--psp-key", "sk")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, *options),
        stdout=asyncio.subprocess.PIPE,
        env={name: text for name, text in os.environ.items() if not name.startswith("SHOP_")},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            said = (await process.stdout.readline()).decode()
        found = re.search(r"listening on http://[\d.]+:(\d+)", said)
        if found is None:
            raise SystemExit(f"the shop did not start: {said or 'it said nothing'}")
        yield int(found[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def measure(port: int, number: int, seconds: float, rate: float) -> Round:
    """One round: idle, then loaded."""

    async def lines(count: int) -> list[Line]:
        return [Line(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]

    (line,) = await lines(1)
    pings = [webhook(f"evt_idle_{number}_{call}", "ping", {}) for call in range(IDLE_CALLS)]
    idle = await _at_a_rate(await lines(64), pings, rate)
    orders = await _orders(line, int(seconds * rate))
    news = [webhook(f"evt_{order['id']}", "payment.succeeded", _success(order)) for order in orders]
    loaded = await _at_a_rate(await lines(64), news, rate)
    return Round(
        median(idle), _p99(idle), median(loaded), _p99(loaded), await _waiting(line, orders)
    )


async def _orders(line: Line, count: int) -> list[dict[str, object]]:
    wish = request_for("/orders", json.dumps(WISH).encode(), ["content-type: application/json"])
    return [json.loads((await line.ask(wish))[1]) for _ in range(count)]


def _success(order: dict[str, object]) -> dict[str, object]:
    return {
        "id": f"pay_{order['id']}",
        "status": "succeeded",
        "sequence": 2,
        "amount": order["amount"],
        "currency": order["currency"],
        "reference": order["id"],
    }


async def _waiting(line: Line, orders: Sequence[dict[str, object]]) -> int:
    """How many orders are not paid yet, though their webhook was acknowledged."""
    waiting = 0
    for order in orders:
        _, body = await line.ask(request_for(f"/orders/{order['id']}", b"", method="GET"))
        waiting += json.loads(body)["status"] == "pending"
    return waiting


async def _at_a_rate(lines: list[Line], requests: Sequence[bytes], rate: float) -> list[float]:
    """Send each when it is due, whether or not those before it were answered."""
    loop, free = asyncio.get_running_loop(), asyncio.LifoQueue[Line]()
    for line in lines:
        free.put_nowait(line)
    begins_at = loop.time() + 0.1

    async def send(number: int, request: bytes) -> float:
        due_at = begins_at + number / rate
        await asyncio.sleep(due_at - loop.time() - AWAKE_S)
        while loop.time() < due_at:
            await asyncio.sleep(0)
        line = await free.get()
        took_ms = await _timed(line, request, due_at)
        free.put_nowait(line)
        return took_ms

    return await asyncio.gather(*(send(*one) for one in enumerate(requests)))


async def _timed(line: Line, request: bytes, due_at: float) -> float:
    status, body = await line.ask(request)
    if status != 200:
        raise SystemExit(f"a webhook was answered {status}: {body.decode(errors='replace')}")
    return (asyncio.get_running_loop().time() - due_at) * 1000


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[max(-(-len(values) * 99 // 100), 1) - 1]


async def run(seconds: float, rate: float, rounds: int, database: str) -> list[Round]:
    """Measure so many rounds on one shop."""
    async with provider() as psp, slow_shop(database, psp) as port:
        await _until_registered(port)
        found = []
        for number in range(rounds):
            found.append(await measure(port, number, seconds, rate))
            sys.stdout.write(f"{found[-1].told()}\n")
        return found


async def _until_registered(port: int) -> None:
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    async with asyncio.timeout(START_WITHIN_S):
        while (await line.ask(webhook("evt_first", "ping", {})))[0] != 200:
            await asyncio.sleep(0.05)


def main() -> int:
    """Measure; 0 if the median round stays within the limit, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=50.0, help="webhooks per second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="default: a new SQLite file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.database or f"sqlite:///{folder}/shop.sqlite3"
        found = asyncio.run(run(options.seconds, options.rate, options.rounds, database))
    ratio = median(one.ratio for one in found)
    sys.stdout.write(f"median of {len(found)} rounds: {ratio:.1f} times, at most {RATIO_MAX:g}\n")
    return 0 if ratio <= RATIO_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
