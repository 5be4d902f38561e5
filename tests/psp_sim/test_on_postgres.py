"""One provider process on PostgreSQL: payments at once, their webhooks, a refund, the event log."""

import asyncio
import random
import time

import httpx

from psp_sim.app import create_app
from psp_sim.domain.distribution import fixed
from psp_sim.settings import Settings
from sqlport import open_database
from tests.databases import postgres, postgres_url  # noqa: F401 - fixtures

PAYMENTS = 10


class SystemClock:
    def now(self):
        return time.time()


async def until_all_are_delivered(client, endpoint_id):
    async with asyncio.timeout(60):
        while True:
            path = f"/v1/webhook_endpoints/{endpoint_id}/deliveries?limit=100"
            deliveries = (await client.get(path)).json()["data"]
            arrived = [each for each in deliveries if each["state"] == "delivered"]
            if len(arrived) == 2 * PAYMENTS:
                return
            await asyncio.sleep(0.05)


async def test_payments_settle_and_their_webhooks_arrive(postgres_url):  # noqa: F811
    database = await open_database(postgres_url)
    taken = []
    app = create_app(
        Settings(api_key="k", settle_after=fixed(0.05)),
        database=database,
        clock=SystemClock(),
        random=random.Random(1),
        transport=httpx.MockTransport(lambda request: taken.append(request) or httpx.Response(200)),
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://psp",
            headers={"authorization": "Bearer k"},
        ) as client,
    ):
        url = {"url": "http://127.0.0.1:9/webhooks"}
        endpoint = (await client.post("/v1/webhook_endpoints", json=url)).json()

        async def pay(number):
            body = {"amount": 500, "currency": "EUR", "reference": f"order-{number}"}
            key = {"idempotency-key": str(number)}
            return await client.post("/v1/payments", json=body, headers=key)

        answers = await asyncio.gather(*map(pay, range(PAYMENTS)))
        assert [answer.status_code for answer in answers] == [201] * PAYMENTS
        assert (await pay(0)).headers["idempotent-replayed"] == "true"
        await until_all_are_delivered(client, endpoint["id"])
        assert len(taken) == 2 * PAYMENTS
        refund = {"payment": answers[0].json()["id"]}
        key = {"idempotency-key": "refund"}
        assert (await client.post("/v1/refunds", json=refund, headers=key)).status_code == 201
        events = (await client.get("/v1/events?limit=100")).json()["data"]
        assert [each["type"] for each in events].count("payment.succeeded") == PAYMENTS
    await database.close()
