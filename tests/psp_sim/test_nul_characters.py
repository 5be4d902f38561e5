"""The character NUL, which PostgreSQL does not store: refused alike on every database."""

import asyncio

import httpx
import pytest

from tests.databases import database_url, postgres, postgres_url  # noqa: F401 - fixtures
from tests.psp_sim.processes import PATIENCE_S
from tests.psp_sim.provider_here import provider_here
from tests.psp_sim.stand import payment_body

PATHS = [
    ("GET", "/v1/payments/%00"),
    ("POST", "/v1/payments/%00/capture"),
    ("POST", "/v1/payments/%00/cancel"),
    ("GET", "/v1/refunds/%00"),
    ("GET", "/v1/events/evt_%00"),
    ("GET", "/v1/webhook_endpoints/%00"),
    ("DELETE", "/v1/webhook_endpoints/%00"),
    ("GET", "/v1/webhook_endpoints/%00/deliveries"),
    ("POST", "/v1/deliveries/%00/redeliver"),
    ("DELETE", "/_control/faults/%00"),
    ("GET", "/_dashboard/payments/%00"),
    ("GET", "/_dashboard/deliveries/%00"),
    ("POST", "/_dashboard/deliveries/%00/redeliver"),
    ("GET", "/authenticate/%00"),
    ("POST", "/authenticate/%00"),
]
QUERIES = [
    "/v1/payments?reference=%00",
    "/v1/refunds?payment=%00",
    "/v1/events?type=%00",
    "/v1/events?payment=%00",
    "/v1/events?after=evt_%00",
    "/v1/events/stream?after=evt_%00",
    "/_dashboard/payments?filter=%00",
    "/_dashboard/deliveries?filter=a%00",
]
BODIES = [
    ("/v1/payments", payment_body("\0")),
    ("/v1/payments", payment_body("a\\\0")),
    ("/v1/payments", payment_body(payment_method="\0")),
    ("/v1/payments", payment_body(metadata={"a": "\0"})),
    ("/v1/payments", payment_body(metadata={"\0": "a", "sim": "ok"})),
    ("/v1/refunds", {"payment": "\0"}),
    ("/v1/refunds", {"payment": "pay_1", "reason": "\0"}),
    ("/v1/webhook_endpoints", {"url": "http://127.0.0.1/", "events": ["\0"]}),
    ("/v1/webhook_endpoints/we_1/recover", {"since": "evt_\0"}),
    ("/_control/faults", {"kind": "drop", "order": "\0"}),
]


async def test_the_character_nul_is_refused_wherever_a_call_can_have_it(database_url):  # noqa: F811
    async with provider_here(database_url) as client:
        for method, path in PATHS:
            key = {"idempotency-key": path}
            answer = await client.request(method, path, headers=key)
            assert answer.status_code == 404, (method, path, answer.text)
        for path in QUERIES:
            answer = await client.get(path)
            assert answer.status_code == 400, (path, answer.text)
            assert answer.json()["code"] == "invalid_request", path
        for path, body in BODIES:
            answer = await client.post(path, json=body, headers={"idempotency-key": str(body)})
            assert answer.status_code == 400, (path, body, answer.text)
            assert "NUL" in answer.json()["detail"], (path, body, answer.text)
        assert (await client.get("/v1/payments")).json()["data"] == []


async def test_a_text_that_only_spells_the_escape_of_nul_is_taken(database_url):  # noqa: F811
    async with provider_here(database_url) as client:
        for reference in ("\\u0000", "a\\\\u0000", "%00"):
            key = {"idempotency-key": f'"{reference!a}"'.replace("\\", "b")}
            made = await client.post("/v1/payments", json=payment_body(reference), headers=key)
            assert made.status_code == 201, made.text
            found = await client.get("/v1/payments", params={"reference": reference})
            assert [each["reference"] for each in found.json()["data"]] == [reference]


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_with_nul_is_kept_like_any_other(database_url, status):  # noqa: F811
    def answer(_):
        return httpx.Response(status, content=b"a\0b")

    async with provider_here(database_url, answer) as client:
        made = await client.post("/v1/webhook_endpoints", json={"url": "http://127.0.0.1/"})
        path = f"/v1/webhook_endpoints/{made.json()['id']}/deliveries"
        await client.post("/v1/payments", json=payment_body(), headers={"idempotency-key": "k"})
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if attempts := (await client.get(path)).json()["data"][0]["attempts"]:
                    break
                await asyncio.sleep(0.02)
    assert attempts[0]["status"] == status
