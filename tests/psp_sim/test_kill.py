"""``kill -9`` in the middle of real deliveries: after a restart every event arrives, signed."""

import asyncio
import json

import pytest
from standardwebhooks import Webhook

from tests.psp_sim.processes import (
    announcement,
    client_of,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import Reply, payment_body

pytestmark = pytest.mark.live
PAYMENTS = 200
OPTIONS = ("--port", "0", "--settle-after", "100ms", "--retry-schedule", ",".join(["1s"] * 20))


async def test_kill_9_loses_no_event(tmp_path):
    async with real_sink() as sink:
        # The first few are slow, so that some calls are under way when the process dies.
        sink.reply = lambda call: Reply(500 if len(sink.calls) % 2 else 200, delay_s=0.2)
        async with provider_process(tmp_path, *OPTIONS) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                endpoint = (await http.post("/v1/webhook_endpoints", json={"url": sink.url})).json()
                delay = {"kind": "delay", "event": "payment.succeeded", "by": "300ms"}
                await http.post("/_control/faults", json=delay)
                made = [await pay(http, number) for number in range(PAYMENTS)]
            await until(lambda: len(sink.calls) > 100)
            process.kill()
            await process.wait()
        accepted_before = {call.id for call in sink.calls if call.ended_at}
        assert len(accepted_before) < 2 * PAYMENTS, "nothing was left to deliver"
        sink.reply = Reply(200)
        async with provider_process(tmp_path, *OPTIONS) as process:
            url, _ = await announcement(process)
            async with client_of(url) as http:
                events = await all_events(http)
                await until(lambda: {e["id"] for e in events} <= {call.id for call in sink.calls})
                await until_delivered(http, endpoint)
        check(sink, made, events, endpoint["secret"])


async def pay(http, number):
    headers = {"idempotency-key": f"key-{number}"}
    answer = await http.post("/v1/payments", json=payment_body(f"o{number}"), headers=headers)
    assert answer.status_code == 201
    return answer.json()["id"]


async def all_events(http):
    """Return the events once there are two of every payment."""
    while True:
        events, cursor = [], ""
        while cursor is not None:
            page = (await http.get(f"/v1/events?limit=100&after={cursor}")).json()
            events, cursor = events + page["data"], page["next"]
        if len(events) == 2 * PAYMENTS:
            return events
        await asyncio.sleep(0.05)


async def until_delivered(http, endpoint):
    """Wait until the last page of deliveries shows nothing open."""
    while True:
        states, cursor = [], ""
        while cursor is not None:
            path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries?limit=100&after={cursor}"
            page = (await http.get(path)).json()
            states, cursor = states + [d["state"] for d in page["data"]], page["next"]
        if set(states) == {"delivered"}:
            assert len(states) == 2 * PAYMENTS
            return
        await asyncio.sleep(0.05)


def check(sink, made, events, secret):
    told = {}
    for call in sink.calls:
        event = Webhook(secret).verify(call.body, call.headers)
        assert told.setdefault(event["id"], call.body) == call.body
    assert set(told) == {event["id"] for event in events}
    sequences = sorted((e["data"]["id"], e["sequence"]) for e in map(json.loads, told.values()))
    assert sequences == sorted((payment, number) for payment in made for number in (1, 2))
