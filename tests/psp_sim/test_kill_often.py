"""A hundred times ``kill -9`` at random moments under load: what was accepted is never lost.

Each round starts the provider on the file that the last one left, lets payments in, and kills it.
In the end every payment that was answered with 201 is there, every event of every payment has
arrived, and every call that ever arrived was signed. CI plays fewer rounds; the long form:
``KILL_ROUNDS=100 .venv/bin/python -m pytest -q -s tests/psp_sim/test_kill_often.py``.
"""

import asyncio
import os
import random
import time
from collections import Counter

import httpx
import pytest
from standardwebhooks import Webhook

from tests.psp_sim.forkserver import kill, providers
from tests.psp_sim.processes import PATIENCE_S, client_of, real_sink, until
from tests.psp_sim.stand import Reply, payment_body

pytestmark = pytest.mark.live
ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
BUYERS = 6
LIFE_S = (0.01, 0.3)
START_S = (0.0, 0.1)
STILLBORN = 0.1
CONVERGED_WITHIN_S = 120
OPTIONS = (
    *("--port", "0", "--settle-after", "50ms"),
    *("--retry-schedule", ",".join(["200ms"] * 20)),
)


class Buyers:
    """Pay without a pause; a payment whose answer was lost is asked for again under its key."""

    def __init__(self) -> None:
        self.accepted: dict[str, str] = {}
        self.unanswered: list[str] = []
        self.count = 0

    async def pay_until_dead(self, http: httpx.AsyncClient) -> None:
        """Let several pay side by side until the provider is gone."""
        await asyncio.gather(*(self._pay_on(http) for _ in range(BUYERS)))

    async def _pay_on(self, http: httpx.AsyncClient) -> None:
        while True:
            reference = self._next()
            try:
                await self.pay(http, reference)
            except httpx.HTTPError:
                self.unanswered.append(reference)
                return

    def _next(self) -> str:
        if self.unanswered:
            return self.unanswered.pop()
        self.count += 1
        return f"o{self.count}"

    async def pay(self, http: httpx.AsyncClient, reference: str) -> None:
        """Ask for one payment; what was answered once must be answered the same for ever."""
        headers = {"idempotency-key": f"key-{reference}"}
        answer = await http.post("/v1/payments", json=payment_body(reference), headers=headers)
        assert answer.status_code == 201, answer.text
        assert self.accepted.setdefault(reference, answer.json()["id"]) == answer.json()["id"]


async def live_and_die(started, buyers, source, paid_min):
    """Start the provider, let payments in for a random while, kill it.

    It is killed at any moment, but not before so many payments were made in all, however slow the
    machine.
    """
    process = await started.start()
    if source.random() < STILLBORN:
        await asyncio.sleep(source.uniform(*START_S))
        kill(process)
        return
    async with client_of(await started.url()) as http:
        paying = asyncio.create_task(buyers.pay_until_dead(http))
        await until(lambda: len(buyers.accepted) >= paid_min)
        await asyncio.sleep(source.uniform(*LIFE_S))
        kill(process)
        await asyncio.wait_for(paying, PATIENCE_S)


async def all_of(http, path):
    rows, cursor = [], ""
    while cursor is not None:
        page = (await http.get(f"{path}?limit=100&after={cursor}")).json()
        rows, cursor = rows + page["data"], page["next"]
    return rows


async def settled(http):
    """Return the payments once none of them is on its way."""
    async with asyncio.timeout(CONVERGED_WITHIN_S):
        while True:
            payments = await all_of(http, "/v1/payments")
            if {payment["status"] for payment in payments} == {"succeeded"}:
                return payments
            await asyncio.sleep(0.1)


async def test_kill_9_at_random_moments_loses_nothing(tmp_path):
    source, buyers = random.Random(9), Buyers()
    async with real_sink() as sink, providers(tmp_path, *OPTIONS) as started:
        # Every fourth call is refused and each takes a moment, so that retries and calls that are
        # under way die with the process too.
        sink.reply = lambda _: Reply(500 if len(sink.calls) % 4 == 0 else 200, delay_s=0.01)
        process = await started.start()
        async with client_of(await started.url()) as http:
            endpoint = (await http.post("/v1/webhook_endpoints", json={"url": sink.url})).json()
        kill(process)
        began_at = time.monotonic()
        for number in range(ROUNDS):
            await live_and_die(started, buyers, source, paid_min=2 * number + 2)
        took_s = time.monotonic() - began_at
        sink.reply = Reply(200)
        await started.start()
        async with client_of(await started.url()) as http:
            for reference in list(buyers.unanswered):
                await buyers.pay(http, reference)
            payments = await settled(http)
            events = await all_of(http, "/v1/events")
            await all_delivered(http, endpoint)
    print(
        f"{ROUNDS} rounds in {took_s:.1f} s ({ROUNDS / took_s * 60:.0f} a minute): "
        f"{len(payments)} payments, {len(events)} events, {len(sink.calls)} calls"
    )
    assert {p["reference"]: p["id"] for p in payments} == buyers.accepted
    assert len(payments) > ROUNDS, "there was hardly any load"
    assert set(Counter(event["data"]["id"] for event in events).values()) == {2}
    assert {event["id"] for event in events} == {call.id for call in sink.calls}
    check_calls(sink.calls, events, endpoint["secret"])


async def all_delivered(http, endpoint):
    async with asyncio.timeout(CONVERGED_WITHIN_S):
        while True:
            rows = await all_of(http, f"/v1/webhook_endpoints/{endpoint['id']}/deliveries")
            if {row["state"] for row in rows} == {"delivered"}:
                return
            await asyncio.sleep(0.1)


def check_calls(calls, events, secret):
    """Every call was signed and says what its event says, word for word each time."""
    told = {event["id"]: event for event in events}
    for call in calls:
        assert Webhook(secret).verify(call.body, call.headers) == told[call.id]
