"""Recovering events where an endpoint listens to none that the log can have for it."""

import pytest

from tests.databases import database_url, postgres, postgres_url  # noqa: F401 - fixtures
from tests.psp_sim.provider_here import provider_here
from tests.psp_sim.stand import payment_body


@pytest.mark.parametrize("events", [["endpoint.test"], ["payment.succeeded"]])
async def test_what_no_endpoint_missed_is_recovered_as_nothing(database_url, events):  # noqa: F811
    async with provider_here(database_url) as client:
        url = {"url": "http://127.0.0.1/", "events": events}
        endpoint = (await client.post("/v1/webhook_endpoints", json=url)).json()
        await client.post("/v1/payments", json=payment_body(), headers={"idempotency-key": "k"})
        path = f"/v1/webhook_endpoints/{endpoint['id']}/recover"
        answer = await client.post(path, json={"since": "2020-01-01"})
        assert (answer.status_code, answer.json()) == (200, {"recovered": 0})
