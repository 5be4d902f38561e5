"""Webhook endpoints: made, read, rotated; what retries of each of these get."""

import asyncio
import random

import pytest

from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.dialects.dialect import Message
from psp_sim.domain.endpoint import PREVIOUS_SECRETS_MAX
from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world


async def rotate(stand, endpoint, body=None, key=None):
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    return await stand.call("POST", path, body, headers={"idempotency-key": key})


async def signers(stand, *secrets):
    """Make a payment and return who signed its first webhook."""
    before = len(stand.sink.calls)
    await stand.pay(f"order-{before}")
    await asyncio.sleep(1)
    call = stand.sink.calls[before]
    return signers_of(call.headers, call.body, *secrets)


@in_world()
async def test_only_the_answer_that_makes_an_endpoint_shows_its_secret(stand):
    made = await stand.add_endpoint(events=["payment.succeeded"])
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made.pop("id").startswith("we_")
    assert made.pop("created").startswith("2026-01-01T")
    assert made == {
        "object": "webhook_endpoint",
        "url": stand.sink.url,
        "dialect": "standard",
        "events": ["payment.succeeded"],
        "retry_schedule": None,
        "status": "enabled",
        "disabled_reason": None,
        "previous_secret_expires_at": None,
    }
    for text in (await stand.call("GET", "/v1/webhook_endpoints")).text, "":
        assert secret not in text


@in_world()
async def test_endpoints_are_listed_and_read(stand):
    made = [await stand.add_endpoint(name) for name in ("sink", "second")]
    for endpoint in made:
        del endpoint["secret"]
    assert await stand.get_all("/v1/webhook_endpoints", limit=1) == made
    for endpoint in made:
        assert await stand.get(f"/v1/webhook_endpoints/{endpoint['id']}") == endpoint


@in_world()
async def test_an_endpoint_gets_all_events_unless_it_names_some(stand):
    assert (await stand.add_endpoint())["events"] == ["*"]


@in_world()
async def test_making_an_endpoint_again_with_the_same_key_gives_the_same_secret(stand):
    async def make(key, url=stand.sink.url):
        headers = {"idempotency-key": key}
        return await stand.call("POST", "/v1/webhook_endpoints", {"url": url}, headers=headers)

    first, again, other = await make("k"), await make("k"), await make("k2")
    assert again.text == first.text
    assert again.headers["idempotent-replayed"] == "true"
    assert other.json["secret"] != first.json["secret"]
    assert len(await stand.get_all("/v1/webhook_endpoints")) == 2
    assert (await make("k", stand.sinks["second"].url)).status == 422
    assert (await make("not a key")).status == 400


@in_world()
async def test_both_secrets_sign_during_the_overlap_and_the_new_one_alone_after_it(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    old = endpoint["secret"]
    rotated = (await rotate(stand, endpoint, {"overlap_s": 60})).json
    new = rotated["secret"]
    assert new != old
    assert rotated["previous_secret_expires_at"].startswith("2026-01-01T00:01:00")
    assert await signers(stand, old, new) == [new, old]
    await asyncio.sleep(57)
    assert await signers(stand, old, new) == [new, old]
    await asyncio.sleep(5)
    assert await signers(stand, old, new) == [new]


@in_world()
async def test_a_secret_signs_as_long_as_was_promised_however_often_it_is_rotated(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    secrets = [endpoint["secret"]]
    for overlap_s in (300, 60, 0):
        rotated = (await rotate(stand, endpoint, {"overlap_s": overlap_s})).json
        secrets.insert(0, rotated["secret"])
        assert rotated["previous_secret_expires_at"].startswith("2026-01-01T00:05:00")
    newest, leaked, second, first = secrets
    assert await signers(stand, newest, leaked, second, first) == [newest, second, first]
    await asyncio.sleep(60)
    assert await signers(stand, newest, leaked, second, first) == [newest, first]
    await asyncio.sleep(300)
    assert await signers(stand, newest, leaked, second, first) == [newest]


@pytest.mark.parametrize("dialect", DIALECTS)
@in_world()
async def test_however_often_a_secret_is_rotated_no_header_gets_long(stand, dialect):
    endpoint = await stand.add_endpoint(events=["payment.processing"], dialect=dialect)
    for _ in range(PREVIOUS_SECRETS_MAX + 3):
        assert (await rotate(stand, endpoint)).status == 200
    await stand.pay()
    await asyncio.sleep(1)
    [call] = stand.sink.calls
    assert max(map(len, call.headers.values())) <= 1000


@pytest.mark.parametrize(("dialect", "signing"), [("square", 0), ("shopify", -1)])
@in_world()
async def test_where_there_is_room_for_one_signature_the_newest_or_the_oldest_signs(
    stand, dialect, signing
):
    endpoint = await stand.add_endpoint(events=["payment.processing"], dialect=dialect)
    secrets = [endpoint["secret"]]
    for _ in range(2):
        secrets.insert(0, (await rotate(stand, endpoint)).json["secret"])
    await stand.pay()
    await asyncio.sleep(1)
    [call] = stand.sink.calls
    spoken = DIALECTS[dialect]
    content = spoken.content(Message("", 0, stand.sink.url, call.body.decode()))
    message = Message("", 0, stand.sink.url, "")
    signatures = [spoken.signature(secret, message, content) for secret in secrets]
    assert call.headers[spoken.signature_header] == signatures[signing]


@pytest.mark.parametrize(("body", "expires"), [(None, "2026-01-02T00"), ({}, "2026-01-02T00")])
@in_world()
async def test_the_overlap_lasts_a_day_unless_asked_otherwise(stand, body, expires):
    endpoint = await stand.add_endpoint()
    rotated = (await rotate(stand, endpoint, body)).json
    assert rotated["previous_secret_expires_at"].startswith(expires)


@in_world()
async def test_without_an_overlap_the_old_secret_signs_no_more(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    new = (await rotate(stand, endpoint, {"overlap_s": 0})).json["secret"]
    assert await signers(stand, endpoint["secret"], new) == [new]


@in_world()
async def test_rotating_again_with_the_same_key_gives_the_same_secret(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    first = await rotate(stand, endpoint, {"overlap_s": 60}, "k")
    again = await rotate(stand, endpoint, {"overlap_s": 60}, "k")
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    new = first.json["secret"]
    assert await signers(stand, endpoint["secret"], new) == [new, endpoint["secret"]]
    assert (await rotate(stand, endpoint, {"overlap_s": 61}, "k")).status == 422


@in_world()
async def test_rotating_without_a_key_or_with_another_gives_another_secret(stand):
    endpoint = await stand.add_endpoint()
    secrets = [(await rotate(stand, endpoint, key=key)).json["secret"] for key in (None, "a", "b")]
    assert len({endpoint["secret"], *secrets}) == 4


@in_world(retry_schedule="1m")
async def test_a_retry_after_a_rotation_is_signed_with_what_is_valid_then(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(500)]
    await stand.pay()
    await asyncio.sleep(1)
    new = (await rotate(stand, endpoint, {"overlap_s": 0})).json["secret"]
    await asyncio.sleep(100)
    first, second = stand.sink.calls
    assert signers_of(first.headers, first.body, endpoint["secret"]) == [endpoint["secret"]]
    assert signers_of(second.headers, second.body, endpoint["secret"], new) == [new]


@in_world()
async def test_rotation_leaves_other_endpoints_alone(stand):
    endpoint = await stand.add_endpoint("second")
    other = await stand.add_endpoint(events=["payment.processing"])
    await rotate(stand, endpoint)
    assert await signers(stand, other["secret"]) == [other["secret"]]


@in_world()
async def test_a_secret_that_the_receiver_has_chosen_is_used(stand):
    chosen = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
    wanted = {"url": stand.sink.url, "secret": chosen}
    assert (await stand.call("POST", "/v1/webhook_endpoints", wanted)).json["secret"] == chosen
    assert await signers(stand, chosen) == [chosen]


@pytest.mark.parametrize(
    ("dialect", "secret", "said"),
    [
        ("standard", "short", "16 to 256 ASCII characters"),
        ("standard", "whsec_not!base64!at!all", "the form of standard secrets"),
        ("adyen", "not hexadecimal at all", "the form of adyen secrets"),
        ("standard-v1a", "whsk_" + "A" * 40, "come in pairs"),
    ],
)
@in_world()
async def test_a_chosen_secret_that_cannot_be_used_is_refused(stand, dialect, secret, said):
    wanted = {"url": stand.sink.url, "dialect": dialect, "secret": secret}
    answer = await stand.call("POST", "/v1/webhook_endpoints", wanted)
    assert answer.status == 400
    assert said in answer.json["detail"]


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "standard-v1a"])
@in_world()
async def test_a_secret_like_those_that_the_provider_makes_can_be_given_back(stand, dialect):
    made = DIALECTS[dialect].new_secret(random.Random(1))
    wanted = {"url": stand.sink.url, "dialect": dialect, "secret": made}
    assert (await stand.call("POST", "/v1/webhook_endpoints", wanted)).json["secret"] == made
