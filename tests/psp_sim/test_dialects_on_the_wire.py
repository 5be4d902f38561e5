"""Each dialect as an endpoint meets it: chosen when it is made, used on every attempt."""

import asyncio

import pytest
import stripe

from psp_sim.domain.dialects import DIALECTS
from tests.psp_sim.stand import Reply, in_world

HEADERS = {
    "standard": "webhook-signature",
    "standard-v1a": "webhook-signature",
    "stripe": "stripe-signature",
    "adyen": None,
    "square": "x-square-hmacsha256-signature",
    "shopify": "x-shopify-hmac-sha256",
    "github": "x-hub-signature-256",
    "rfc9421": "signature",
}


@pytest.mark.parametrize("dialect", DIALECTS)
@in_world(retry_schedule="1m,1m,1m,1m,1m,1m,1m,1m,1m")
async def test_every_fault_can_hit_every_dialect(stand, dialect):
    endpoint = await stand.add_endpoint(events=["payment.processing"], dialect=dialect)
    assert endpoint["dialect"] == dialect
    kinds = [
        "corrupt_signature", "wrong_secret", "missing_signature", "malformed_signature",
        "tamper_body", "truncate_body", "oversize_body", "unknown_fields", "slow_body",
    ]  # fmt: skip
    for number, kind in enumerate(kinds, start=1):
        await stand.install(kind, attempt=number)
    stand.sink.script = [Reply(500)] * 9
    await stand.pay()
    await asyncio.sleep(1000)
    [delivery] = await stand.deliveries(endpoint)
    assert delivery["state"] == "delivered"
    assert [attempt["faults"] for attempt in delivery["attempts"]] == [[k] for k in kinds] + [[]]
    header = HEADERS[dialect]
    if header:
        signed = [header in call.headers for call in stand.sink.calls]
        assert signed == [kind != "missing_signature" for kind in [*kinds, "none"]]
    assert await stand.fired() == dict.fromkeys(kinds, 1)


@in_world()
async def test_the_secret_that_is_shown_verifies_what_is_sent(stand):
    endpoint = await stand.add_endpoint(events=["payment.succeeded"], dialect="stripe")
    await stand.pay("order-1")
    await asyncio.sleep(5)
    [call] = stand.sink.calls
    header = call.headers["stripe-signature"]
    # The library compares with today's clock, which is not the world's.
    assert stripe.WebhookSignature.verify_header(
        call.body.decode(), header, endpoint["secret"], tolerance=None
    )


@in_world()
async def test_the_private_key_of_a_pair_is_never_shown(stand):
    endpoint = await stand.add_endpoint(dialect="standard-v1a")
    assert endpoint["secret"].startswith("whpk_")
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    assert (await stand.call("POST", path)).json["secret"].startswith("whpk_")


@in_world()
async def test_a_dialect_that_is_not_known_is_refused(stand):
    body = {"url": stand.sink.url, "dialect": "morse"}
    answer = await stand.call("POST", "/v1/webhook_endpoints", body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_request")
