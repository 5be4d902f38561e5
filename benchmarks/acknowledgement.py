"""How fast a webhook is acknowledged while its processing is slow, beside an idle shop's median.

All at one fixed rate, and as many calls of each. Bare: the same webhooks, sent to a server that
answers without looking at them, so that shop and machine can be told apart. Idle: webhooks of a
type that sets nothing off. Loaded: webhooks of real payments, each of which takes 100 ms to
process, so that the inbox only grows.

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

from benchmarks.at_a_rate import Line, Times, request_for, send_at_a_rate
from benchmarks.processes import cpu_s_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  of the specification's example
PROCESSING_MS = 100
START_WITHIN_S = 60.0
RATIO_MAX = 5.0
WISH = {"items": [{"sku": "mug", "quantity": 1}], "email": "ada@example.com"}


@dataclass(frozen=True)
class Round:
    """The three measurements of one round, and the shop's processor time for each idle call."""

    bare: Times
    idle: Times
    loaded: Times
    cpu_ms: float
    waiting: int

    @property
    def ratio(self) -> float:
        """The loaded 99th percentile beside the idle median."""
        return self.loaded.p99 / self.idle.median

    @property
    def bare_ratio(self) -> float:
        """The same of a server that does nothing: what this machine adds by itself."""
        return self.bare.p99 / self.bare.median

    def told(self) -> str:
        """For a person."""
        return (
            f"bare    {self.bare.told()}: {self.bare_ratio:.1f} times its own median\n"
            f"idle    {self.idle.told()}; processor {self.cpu_ms:.2f} ms each\n"
            f"loaded  {self.loaded.told()}: {self.ratio:.1f} times the idle median, "
            f"with {self.waiting} events waiting at the end\n"
        )


@dataclass(frozen=True)
class Server:
    """A process that listens."""

    port: int
    pid: int


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
async def listening(module: str, *options: str) -> AsyncIterator[Server]:
    """A module of ours as a process, until the block is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *options),
        stdout=asyncio.subprocess.PIPE,
        env={name: text for name, text in os.environ.items() if not name.startswith("SHOP_")}
        | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            said = (await process.stdout.readline()).decode()
        found = re.search(r"listening on http://[\d.]+:(\d+)", said)
        if found is None:
            raise SystemExit(f"{module} did not start: {said or 'it said nothing'}")
        yield Server(int(found[1]), process.pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def measure(bare: Server, shop: Server, number: int, calls: int, rate: float) -> Round:
    """One round: bare, idle, loaded."""
    line = await Line.to(shop.port)
    pings = [webhook(f"evt_idle_{number}_{call}", "ping", {}) for call in range(calls)]
    of_bare = await send_at_a_rate(bare.port, pings, rate)
    cpu_s = cpu_s_of(shop.pid)
    idle = await send_at_a_rate(shop.port, pings, rate)
    cpu_ms = (cpu_s_of(shop.pid) - cpu_s) / calls * 1000
    orders = await _orders(line, calls)
    news = [webhook(f"evt_{order['id']}", "payment.succeeded", _success(order)) for order in orders]
    loaded = await send_at_a_rate(shop.port, news, rate)
    return Round(of_bare, idle, loaded, cpu_ms, await _waiting(line, orders))


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


async def run(seconds: float, rate: float, rounds: int, database: str) -> list[Round]:
    """Measure so many rounds on one shop."""
    async with (
        provider() as psp,
        listening("benchmarks.empty_app") as bare,
        listening("benchmarks.slow_shop", *_options(database, psp)) as shop,
    ):
        await _until_registered(shop.port)
        found = []
        for number in range(rounds):
            found.append(await measure(bare, shop, number, int(seconds * rate), rate))
            sys.stdout.write(f"{found[-1].told()}\n")
        return found


def _options(database: str, psp: str) -> tuple[str, ...]:
    shop = (str(PROCESSING_MS), "serve", "--port", "0", "--database", database)
    return (*shop, "--psp", psp, "--tracking", "webhooks", "--psp-key", "sk")


async def _until_registered(port: int) -> None:
    line = await Line.to(port)
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
    ratio, bare = median(one.ratio for one in found), median(one.bare_ratio for one in found)
    sys.stdout.write(
        f"median of {len(found)} rounds: {ratio:.1f} times, at most {RATIO_MAX:g}; "
        f"a server that does nothing, beside its own median: {bare:.1f} times\n"
    )
    return 0 if ratio <= RATIO_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
