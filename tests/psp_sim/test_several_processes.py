"""Provider processes that share a PostgreSQL database: none does another's work, none is missed."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.databases import postgres, postgres_url  # noqa: F401 - fixtures
from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    complaint,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import Reply, payment_body

pytestmark = pytest.mark.live

# It is renewed each third of it, so that a process may stand still for ten seconds and keep it.
LEASE_S = 15
PAYMENTS = 60
OPTIONS = (
    *("--port", "0", "--settle-after", "50ms", "--lease", f"{LEASE_S}s"),
    *("--retry-schedule", ",".join(["1s"] * 20)),
)


class Deployment:
    """One process for the API, and any number that deliver."""

    def __init__(self, stack, folder, url):
        self.stack = stack
        self.options = (*OPTIONS, "--database", url)
        self.folder = folder

    async def start(self, role):
        process = await self.stack.enter_async_context(
            provider_process(self.folder, *self.options, "--role", role)
        )
        url, _ = await announcement(process)
        return process, url


async def pay(http, number):
    headers = {"idempotency-key": f"key-{number}"}
    answer = await http.post("/v1/payments", json=payment_body(f"o{number}"), headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def all_of(http, path):
    found, cursor = [], ""
    while cursor is not None:
        page = (await http.get(f"{path}?limit=100&after={cursor}")).json()
        found, cursor = found + page["data"], page["next"]
    return found


async def until_delivered(http, endpoint, number):
    path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            deliveries = await all_of(http, path)
            if Counter(each["state"] for each in deliveries) == {"delivered": number}:
                return deliveries
            await asyncio.sleep(0.2)


async def test_a_delivery_process_that_is_killed_leaves_its_work_to_the_other(
    postgres_url,  # noqa: F811
    tmp_path,
):
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(real_sink())
        deployment = Deployment(stack, tmp_path, postgres_url)
        (_, url), (doomed, _), _ = await asyncio.gather(
            *(deployment.start(role) for role in ("api", "delivery", "delivery"))
        )
        sink.reply = Reply(200, delay_s=0.3)
        async with client_of(url) as http:
            endpoint = (await http.post("/v1/webhook_endpoints", json={"url": sink.url})).json()
            paying = asyncio.gather(*(pay(http, number) for number in range(PAYMENTS)))
            await until(lambda: len(sink.calls) >= PAYMENTS // 2)
            doomed.kill()
            await doomed.wait()
            killed_at = time.time()
            made = await paying
            deliveries = await until_delivered(http, endpoint, 2 * PAYMENTS)
            events = await all_of(http, "/v1/events")
        assert sorted((e["data"]["id"], e["sequence"]) for e in events) == sorted(
            (payment, sequence) for payment in made for sequence in (1, 2)
        )
        assert {call.id for call in sink.calls} == {event["id"] for event in events}
        # Twice is only what the dead process had under way, and only once its lease was over.
        calls = Counter(call.id for call in sink.calls)
        twice = {event_id for event_id, number in calls.items() if number > 1}
        assert max(calls.values()) <= 2
        for event_id in twice:
            # When it was signed, since the machine may hold up what is on its way.
            first, second = (call.timestamp_s for call in sink.calls if call.id == event_id)
            assert first <= killed_at
            assert second - first >= LEASE_S / 2
        assert len(deliveries) == 2 * PAYMENTS


async def test_what_is_held_back_for_longer_than_a_lease_leaves_once(
    postgres_url,  # noqa: F811
    tmp_path,
):
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(real_sink())
        deployment = Deployment(stack, tmp_path, postgres_url)
        _, url = await deployment.start("api")
        async with client_of(url) as http:
            document = {"url": sink.url, "events": ["payment.processing"]}
            endpoint = (await http.post("/v1/webhook_endpoints", json=document)).json()
            delay = {"kind": "delay", "by": f"{1.5 * LEASE_S}s"}
            assert (await http.post("/_control/faults", json=delay)).status_code == 201
            await asyncio.gather(*(deployment.start("delivery") for _ in range(2)))
            await pay(http, 1)
            await until_delivered(http, endpoint, 1)
            fired = (await http.get("/_control/faults")).json()["fired"]
        assert len(sink.calls) == 1
        assert fired == {"delay": 1}


async def test_a_fault_that_one_process_is_told_of_acts_in_the_other(
    postgres_url,  # noqa: F811
    tmp_path,
):
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(real_sink())
        deployment = Deployment(stack, tmp_path, postgres_url)
        (_, url), _ = await asyncio.gather(*map(deployment.start, ("api", "delivery")))
        async with client_of(url) as http, asyncio.timeout(PATIENCE_S):
            await http.post("/v1/webhook_endpoints", json={"url": sink.url})
            await http.post("/_control/faults", json={"kind": "missing_signature"})
            number = 0
            while all("webhook-signature" in call.headers for call in sink.calls):
                number += 1
                await pay(http, number)
                await asyncio.sleep(0.2)


async def test_two_processes_answer_one_key_once(postgres_url, tmp_path):  # noqa: F811
    async with AsyncExitStack() as stack:
        deployment = Deployment(stack, tmp_path, postgres_url)
        started = await asyncio.gather(*(deployment.start("api") for _ in range(2)))
        clients = [await stack.enter_async_context(client_of(url)) for _, url in started]

        async def ask(client, path, key, body):
            """Ask until there is an answer, as a correct client does."""
            while True:
                try:
                    return await client.post(path, json=body, headers={"idempotency-key": key})
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

        answers = await asyncio.gather(
            *(
                ask(clients[n % 2], "/v1/payments", f"key-{n // 4}", payment_body(f"o{n // 4}"))
                for n in range(40)
            )
        )
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len(await all_of(clients[0], "/v1/payments")) == 10
        body = payment_body("open", metadata={"sim": "require_action"})
        waiting = await ask(clients[0], "/v1/payments", "open", body)
        path = f"/v1/payments/{waiting.json()['id']}/cancel"
        cancels = await asyncio.gather(
            *(ask(clients[n % 2], path, f"cancel-{n}", {}) for n in range(8))
        )
        assert sorted(answer.status_code for answer in cancels) == [200, *[409] * 7]


async def test_a_share_of_the_work_needs_a_database_that_can_be_shared(tmp_path):
    async with provider_process(tmp_path, "--role", "delivery", "--port", "0") as process:
        assert "postgresql://" in await complaint(process)
