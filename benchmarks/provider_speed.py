"""The provider on one core: payments from accept to recorded delivery, and a whole backlog."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.http_load import Load, ask, request, send_all
from benchmarks.processes import Running, cores, running
from benchmarks.watch import Speed, Watch

KEY = "sk_test_benchmark"
AUTHORISED = f"authorization: Bearer {KEY}\r\n"
CONNECTIONS = 64
PATIENCE_S = 300.0


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
        self.helpers: list[Running] = []
        self._recorded_before = 0

    async def begin(self) -> None:
        """Take note of what the database holds from before: the consumer never saw that."""
        self._recorded_before = await self.recorded()

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
        """Wait until the consumer has taken so many, and the provider has recorded as many more."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.calls() < number - self._recorded_before:
                await asyncio.sleep(0.02)
            while await self.recorded() < number:
                await asyncio.sleep(0.02)

    async def recorded(self) -> int:
        """Return how many deliveries the provider has recorded as delivered."""
        return await self._metric('psp_deliveries{state="delivered"}')

    async def settled(self) -> int:
        """Return how many payments have succeeded."""
        return await self._metric('psp_payments{status="succeeded"}')

    async def _metric(self, name: str) -> int:
        text = (await ask(self.provider.url, request("GET", "/metrics"))).decode()
        found = re.search(f"^{re.escape(name)} (\\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else 0


async def payments_speed(bench: Bench, number: int, prefix: str = "o") -> Speed:
    """Payments from accept to recorded delivery: settled at once, one webhook each."""
    before = await bench.recorded()
    watch = Watch(bench.provider)
    await bench.pay(number, prefix)
    await bench.until_delivered(before + number)
    return watch.speed(number)


async def made_speed(bench: Bench, number: int, prefix: str = "m") -> Speed:
    """Payments made, each answered once it is stored, where nobody listens to what follows."""
    watch = Watch(bench.provider)
    await bench.pay(number, prefix)
    return watch.speed(number)


async def backlog_speed(bench: Bench, number: int, prefix: str = "b") -> Speed:
    """Signed deliveries of events that are stored already, for an endpoint that asks for them."""
    before, since = await bench.recorded(), datetime.now(UTC).isoformat()
    settled = await bench.settled()
    await bench.pay(number, prefix)
    async with asyncio.timeout(PATIENCE_S):
        while await bench.settled() < settled + number:
            await asyncio.sleep(0.1)
    path = f"/v1/webhook_endpoints/{await bench.register()}/recover"
    answer = await ask(bench.provider.url, request("POST", path, {"since": since}, AUTHORISED))
    assert json.loads(answer) == {"recovered": number}, answer
    watch = Watch(bench.provider, *bench.helpers)
    await bench.until_delivered(before + number)
    return watch.speed(number)


def _payments(number: int, prefix: str) -> Iterator[bytes]:
    for position in range(number):
        reference = f"{prefix}{position}"
        document = {"amount": 1099, "currency": "EUR", "reference": reference}
        headers = f"{AUTHORISED}idempotency-key: {reference}\r\n"
        yield request("POST", "/v1/payments", document, headers)
