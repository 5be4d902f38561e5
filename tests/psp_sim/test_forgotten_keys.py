"""A provider may forget idempotency keys, as real ones do after a day; then a repeat is new."""

import asyncio

import pytest

from tests.databases import database_url, postgres, postgres_url  # noqa: F401 - fixtures
from tests.psp_sim.provider_here import provider_here
from tests.psp_sim.stand import in_world, payment_body


async def make_endpoint(stand):
    body, headers = {"url": stand.sink.url}, {"idempotency-key": "k"}
    return await stand.call("POST", "/v1/webhook_endpoints", body, headers=headers)


@in_world(forget_keys_after="60s")
async def test_a_key_is_known_until_it_is_forgotten_and_then_pays_again(stand):
    first = await stand.create(payment_body(), "k")
    await asyncio.sleep(59)
    again = await stand.create(payment_body(), "k")
    assert (again.text, again.headers["idempotent-replayed"]) == (first.text, "true")
    await asyncio.sleep(2)
    anew = await stand.create(payment_body(), "k")
    assert (anew.status, anew.headers.get("idempotent-replayed")) == (201, None)
    assert anew.json["id"] != first.json["id"]
    repeated = await stand.create(payment_body(), "k")
    assert repeated.text == anew.text, "the key is known again, by its newest request"


@in_world(forget_keys_after="60s")
async def test_a_forgotten_key_may_carry_another_request(stand):
    await stand.create(payment_body(), "k")
    other = payment_body(amount=999)
    assert (await stand.create(other, "k")).status == 422
    await asyncio.sleep(61)
    assert (await stand.create(other, "k")).status == 201


@in_world(forget_keys_after="60s")
async def test_an_endpoint_is_made_again_once_its_key_is_forgotten(stand):
    first = await make_endpoint(stand)
    assert (await make_endpoint(stand)).text == first.text
    await asyncio.sleep(61)
    assert (await make_endpoint(stand)).json["id"] != first.json["id"]


@pytest.mark.parametrize("days", [1, 60])
def test_without_the_setting_no_key_is_forgotten(days):
    @in_world()
    async def repeat(stand):
        first = await stand.create(payment_body(), "k")
        await asyncio.sleep(days * 86400)
        assert (await stand.create(payment_body(), "k")).text == first.text

    repeat()


@in_world(forget_keys_after="60s", time_scale=10.0)
async def test_keys_age_with_the_time_scale(stand):
    first = await stand.create(payment_body(), "k")
    await asyncio.sleep(7)
    assert (await stand.create(payment_body(), "k")).json["id"] != first.json["id"]


async def test_keys_are_forgotten_on_each_engine(database_url):  # noqa: F811
    # In next to no time, so that nobody waits: each repeat comes after it.
    async with provider_here(database_url, forget_keys_after_s=1e-6) as client:
        answers = [
            await client.post("/v1/payments", json=payment_body(), headers={"idempotency-key": "k"})
            for _ in range(3)
        ]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["id"] for answer in answers}) == 3
