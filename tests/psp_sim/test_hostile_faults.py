"""Faults that only a careful receiver survives: forgeries, broken bodies, news from the future."""

import asyncio
import json

import pytest

from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world

PROCESSING = {"events": ["payment.processing"]}


async def pay_and_wait(stand, wait_s=1.0, **fields):
    payment = await stand.pay(**fields)
    await asyncio.sleep(wait_s)
    return payment


def is_genuine(call, endpoint):
    return signers_of(call.headers, call.body, endpoint["secret"]) == [endpoint["secret"]]


@pytest.mark.parametrize("kind", ["wrong_secret", "malformed_signature", "truncate_body"])
@in_world(retry_schedule="1m")
async def test_what_cannot_be_trusted_comes_once_and_the_genuine_call_after_it(stand, kind):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(401)]
    await stand.install(kind, attempt=1)
    await pay_and_wait(stand, 100)
    assert [is_genuine(call, endpoint) for call in stand.sink.calls] == [False, True]
    assert stand.sink.calls[0].id == stand.sink.calls[1].id
    assert await stand.fired() == {kind: 1}


@in_world()
async def test_a_secret_whose_overlap_is_over_signs_forgeries_once_there_is_one(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("wrong_secret", secret="ended")
    await pay_and_wait(stand)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    newer = (await stand.call("POST", path, {"overlap_s": 10})).json
    await pay_and_wait(stand, 20, reference="order-2")
    await pay_and_wait(stand, reference="order-3")
    known = [endpoint["secret"], newer["secret"]]
    signers = [signers_of(call.headers, call.body, *known) for call in stand.sink.calls]
    assert signers == [[None], [None], [endpoint["secret"]]]


@in_world(retry_schedule="1m")
async def test_a_missing_signature_leaves_the_other_headers(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("missing_signature", attempt=1)
    await pay_and_wait(stand)
    [call] = stand.sink.calls
    assert "webhook-signature" not in call.headers
    assert call.headers["webhook-id"] == call.event["id"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 1),
        ("currency", "JPY"),
        ("reference", "order-1-of-another"),
        ("account", "acct_of_another"),
    ],
)
@in_world()
async def test_a_tampered_body_has_one_other_field_and_the_first_signature(stand, field, value):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("tamper_body", field=field)
    payment = await pay_and_wait(stand)
    [call] = stand.sink.calls
    assert call.event["data"] == payment | {field: value}
    original = json.dumps(
        call.event | {"data": payment}, separators=(",", ":"), ensure_ascii=False
    ).encode()
    assert signers_of(call.headers, original, endpoint["secret"]) == [endpoint["secret"]]


@in_world(retry_schedule="1m")
async def test_a_forgery_comes_beside_the_genuine_call_and_decides_nothing(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("forge", event="payment.succeeded", times=1)
    stand.sink.reply = lambda call: Reply(500 if is_genuine(call, endpoint) else 200)
    await pay_and_wait(stand, 1)
    genuine, forged = sorted(stand.sink.calls, key=lambda call: call.type)
    assert (genuine.type, forged.type) == ("payment.processing", "payment.succeeded")
    assert (is_genuine(genuine, endpoint), is_genuine(forged, endpoint)) == (True, False)
    assert forged.event["data"]["status"] == "succeeded"
    assert forged.id == forged.event["id"] != genuine.id
    [delivery] = await stand.deliveries(endpoint)
    assert delivery["state"] == "waiting"
    assert [attempt["faults"] for attempt in delivery["attempts"]] == [[], ["forge"]]
    logged = [event["id"] for event in await stand.get_all("/v1/events")]
    assert forged.id not in logged


@in_world()
async def test_an_unknown_type_is_one_more_genuine_event(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("unknown_event_type")
    await pay_and_wait(stand)
    assert all(is_genuine(call, endpoint) for call in stand.sink.calls)
    assert len({call.id for call in stand.sink.calls}) == 2
    assert [call.type for call in stand.sink.calls].count("payment.processing") == 1


@in_world()
async def test_unknown_fields_are_added_and_signed(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("unknown_fields")
    payment = await pay_and_wait(stand)
    [call] = stand.sink.calls
    assert is_genuine(call, endpoint)
    assert set(call.event["data"]) - set(payment) == {"added_later", "empty_later"}
    assert "added_later" in call.event


@in_world()
async def test_a_slow_body_takes_its_time_and_is_whole(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("slow_body", by="8s")
    await stand.pay()
    await asyncio.sleep(7)
    assert stand.sink.calls == []
    await asyncio.sleep(3)
    [call] = stand.sink.calls
    assert is_genuine(call, endpoint)
    assert 7 <= call.at - call.timestamp_s <= 9


@in_world()
async def test_a_body_that_is_slower_than_the_provider_waits_is_given_up(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("slow_body", by="20s", attempt=1)
    await pay_and_wait(stand, 16)
    [delivery] = await stand.deliveries(endpoint)
    assert [attempt["error"] for attempt in delivery["attempts"]] == ["no answer within 15 s"]


@in_world()
async def test_an_oversized_body_is_validly_signed_json(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("oversize_body", bytes=100_000)
    payment = await pay_and_wait(stand)
    [call] = stand.sink.calls
    assert len(call.body) == 100_000
    assert is_genuine(call, endpoint)
    assert call.event["data"] == payment


@in_world()
async def test_the_webhook_overtakes_an_answer_that_is_held(stand):
    await stand.add_endpoint()
    stand.sink.reply = Reply(200, delay_s=0.5)
    await stand.install("hold_response", operation="create_payment", until="payment.succeeded")
    payment = await stand.pay()
    [call] = stand.sink.of_type("payment.succeeded")
    assert call.ended_at is not None
    assert call.ended_at <= stand.now() < call.ended_at + 0.1
    assert payment["status"] == "processing"
    assert await stand.fired() == {"hold_response": 1}


@in_world(settle_after="1h")
async def test_an_answer_is_not_held_for_longer_than_it_says(stand):
    await stand.add_endpoint()
    await stand.install("hold_response", operation="create_payment", by="10s")
    start = stand.now()
    await stand.pay()
    assert stand.now() - start == pytest.approx(10, abs=0.1)


@in_world()
async def test_an_answer_is_not_held_for_an_event_that_will_never_be(stand):
    await stand.add_endpoint()
    await stand.install("hold_response", operation="create_payment", by="20s")
    start = stand.now()
    await stand.pay(payment_method="card_declined")
    assert stand.now() - start < 3


@in_world(settle_after="1h")
async def test_lifting_the_fault_lets_go_of_the_answer(stand):
    fault = await stand.install("hold_response", operation="create_payment", by="20s")
    start = stand.now()
    paying = asyncio.create_task(stand.pay())
    await asyncio.sleep(3)
    await stand.lift(fault)
    await paying
    assert stand.now() - start == pytest.approx(3, abs=0.1)


@in_world()
async def test_a_slow_response_is_late_and_has_happened(stand):
    await stand.install("slow_response", operation="create_payment", by="4s")
    start = stand.now()
    paying = asyncio.create_task(stand.pay())
    await asyncio.sleep(1)
    assert len(await stand.get_all("/v1/payments")) == 1
    await paying
    assert stand.now() - start == pytest.approx(4, abs=0.1)


@in_world()
async def test_a_rate_limit_says_when_to_come_back_and_does_nothing(stand):
    await stand.install("rate_limit", operation="create_payment", attempt=1, retry_after="7s")
    body = {"amount": 1, "currency": "EUR", "reference": "order-1"}
    refused = await stand.create(body, "k")
    assert (refused.status, refused.headers["retry-after"]) == (429, "7")
    assert (refused.json["code"], refused.json["definite"]) == ("rate_limited", False)
    assert await stand.get_all("/v1/payments") == []
    assert (await stand.create(body, "k")).status == 201


@in_world()
async def test_a_payment_may_ask_for_these_faults_itself(stand):
    await stand.add_endpoint(**PROCESSING)
    script = "rate_limit(retry_after=1s)|ok;tamper_body(field=currency)"
    body = {"amount": 1, "currency": "EUR", "reference": "o", "metadata": {"sim": script}}
    assert (await stand.create(body, "k")).status == 429
    assert (await stand.create(body, "k")).status == 201
    await asyncio.sleep(1)
    assert stand.sink.calls[0].event["data"]["currency"] == "JPY"


@in_world()
async def test_a_preset_puts_its_faults_in_force(stand):
    answer = await stand.call("POST", "/_control/faults", {"preset": "storm"})
    kinds = [fault["kind"] for fault in answer.json["data"]]
    assert answer.status == 201
    assert {"drop", "duplicate", "lose_response"} <= set(kinds)
    assert [fault["kind"] for fault in (await stand.get("/_control/faults"))["data"]] == kinds
    mixed = [{"preset": "blackout"}, {"kind": "drop"}]
    answer = await stand.call("POST", "/_control/faults", mixed)
    assert [fault["kind"] for fault in answer.json["data"]] == ["outage", "drop", "drop"]


@pytest.mark.parametrize("body", [{"preset": "drizzle"}, {"preset": "storm", "times": 1}])
@in_world()
async def test_a_preset_that_is_not_known_or_not_alone_is_refused(stand, body):
    answer = await stand.call("POST", "/_control/faults", body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_fault")


@in_world(preset="flaky", faults=[{"kind": "decline"}])
async def test_a_preset_may_be_configured_beside_other_faults(stand):
    kinds = [fault["kind"] for fault in (await stand.get("/_control/faults"))["data"]]
    assert kinds[0] == "drop"
    assert kinds[-1] == "decline"
