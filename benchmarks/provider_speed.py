"""The provider on one core: payments from accept to recorded delivery, and a backlog sent."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.http_load import Load, ask, request, send_all
from benchmarks.processes import Running, cores, running

KEY = "sk_test_benchmark"
AUTHORISED = f"authorization: Bearer {KEY}\r\n"
CONNECTIONS = 64
PATIENCE_S = 300.0
_DELIVERED = re.compile(r'psp_deliveries\{state="delivered"\} (\d+)')


@dataclass(frozen=True)
class Speed:
    """A rate by the clock, the same by the processor time of what is measured, and its memory."""

    per_second: float
    per_cpu_second: float
    memory_mb: float


class Bench:
    """A provider on a core of its own, and a light consumer on another."""

    def __init__(self, stack: ExitStack, folder: Path, *options: str, database: str = "") -> None:
        mine, others = cores()
        self.consumer = stack.enter_context(running(["benchmarks.consumer"], folder, core=others))
        database = database or f"sqlite:///{folder}/psp.sqlite3"
        command = ["psp_sim", "serve", "--port", "0", "--quiet", "--database", database]
        settings = {"PSP_API_KEY": KEY}
        self.provider = stack.enter_context(
            running([*command, *options], folder, core=mine, settings=settings)
        )

    async def register(self, events: tuple[str, ...] = ("payment.succeeded",)) -> str:
        """Register the consumer; return the endpoint's id."""
        document = {"url": f"{self.consumer.url}/hooks", "events": list(events)}
        answer = await ask(
            self.provider.url, request("POST", "/v1/webhook_endpoints", document, AUTHORISED)
        )
        return str(json.loads(answer)["id"])

    async def pay(self, number: int, prefix: str = "o") -> Load:
        """Make so many payments, as fast as the provider takes them."""
        load = await send_all(self.provider.url, _payments(number, prefix), CONNECTIONS)
        assert load.statuses == {201: number}, load.statuses
        return load

    async def calls(self, path: str = "/") -> int:
        """Return how many webhooks the consumer has taken."""
        return int(await ask(self.consumer.url, request("GET", path)))

    async def until_delivered(self, number: int) -> None:
        """Wait until the consumer has taken so many, and the provider has recorded it."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.calls() < number:
                await asyncio.sleep(0.02)
            while await self.recorded() < number:
                await asyncio.sleep(0.02)

    async def recorded(self) -> int:
        """Return how many deliveries the provider has recorded as delivered."""
        text = (await ask(self.provider.url, request("GET", "/metrics"))).decode()
        found = _DELIVERED.search(text)
        return int(found[1]) if found else 0


async def payments_speed(bench: Bench, number: int, prefix: str = "o") -> Speed:
    """Payments from accept to recorded delivery: settled at once, one webhook each."""
    before = await bench.recorded()
    watch = _Watch(bench.provider)
    await bench.pay(number, prefix)
    await bench.until_delivered(before + number)
    return watch.speed(number)


async def backlog_speed(bench: Bench, endpoint_id: str, number: int) -> Speed:
    """Signed deliveries of events that are stored already: asked for in one call."""
    before = await bench.recorded()
    path = f"/v1/webhook_endpoints/{endpoint_id}/recover"
    since = {"since": "2000-01-01T00:00:00Z"}
    answer = await ask(bench.provider.url, request("POST", path, since, AUTHORISED))
    assert json.loads(answer) == {"recovered": number}, answer
    watch = _Watch(bench.provider)
    await bench.until_delivered(before + number)
    return watch.speed(number)


class _Watch:
    def __init__(self, running: Running) -> None:
        self._running = running
        self._started_at = time.perf_counter()
        self._cpu_s = running.cpu_s()

    def speed(self, number: int) -> Speed:
        lasted_s = time.perf_counter() - self._started_at
        cpu_s = self._running.cpu_s() - self._cpu_s
        return Speed(number / lasted_s, number / max(cpu_s, 0.01), self._running.memory_mb())


def _payments(number: int, prefix: str) -> Iterator[bytes]:
    for position in range(number):
        reference = f"{prefix}{position}"
        document = {"amount": 1099, "currency": "EUR", "reference": reference}
        headers = f"{AUTHORISED}idempotency-key: {reference}\r\n"
        yield request("POST", "/v1/payments", document, headers)
