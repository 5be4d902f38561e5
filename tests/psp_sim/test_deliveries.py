"""Deliveries: signed, retried on schedule, at least once, and independent of each other."""

import asyncio
import json
import time
from itertools import pairwise

import pytest
from standardwebhooks import Webhook

from tests.psp_sim.domain.test_retry_schedule import STANDARD_OFFSETS_S
from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world, play


def test_a_webhook_verifies_with_the_reference_library():
    """At the true time, which the library looks at: not when this file was imported."""
    play(verify_with_the_library, start=float(int(time.time())))


async def verify_with_the_library(stand):
    endpoint = await stand.add_endpoint()
    payment = await stand.pay("Zoë – 5 €")
    await asyncio.sleep(5)
    assert stand.sink.types == ["processing", "succeeded"]
    for call in stand.sink.calls:
        assert Webhook(endpoint["secret"]).verify(call.body, call.headers) == call.event
        assert call.event["data"]["id"] == payment["id"]


@in_world()
async def test_a_webhook_has_the_headers_of_the_specification(stand):
    endpoint = await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(1)
    [call] = stand.sink.calls
    assert call.path == "/hooks"
    assert call.headers["content-type"] == "application/json"
    assert call.id == call.event["id"]
    assert abs(call.timestamp_s - call.at) <= 1
    assert signers_of(call.headers, call.body, endpoint["secret"]) == [endpoint["secret"]]


@in_world()
async def test_the_body_is_the_event_with_the_payment_in_it(stand):
    await stand.add_endpoint()
    payment = await stand.pay()
    await asyncio.sleep(5)
    processing, succeeded = (call.event for call in stand.sink.calls)
    assert processing == {
        "id": stand.sink.calls[0].id,
        "type": "payment.processing",
        "timestamp": processing["timestamp"],
        "sequence": 1,
        "data": payment,
    }
    assert succeeded["sequence"] == 2
    assert succeeded["data"] == payment | {
        "status": "succeeded",
        "sequence": 2,
        "amount_captured": 1099,
    }
    assert processing["timestamp"] < succeeded["timestamp"]


@in_world()
async def test_retries_come_when_the_schedule_says_and_end_with_it(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.reply = Reply(500, body=b"no")
    await stand.pay()
    await asyncio.sleep(100 * 3600)
    calls = stand.sink.calls
    assert len(calls) == 10
    gaps_s = [later.at - earlier.at for earlier, later in pairwise(calls)]
    plain_s = [later - earlier for earlier, later in pairwise([0, *STANDARD_OFFSETS_S])]
    shares = [gap_s / delay_s for gap_s, delay_s in zip(gaps_s, plain_s, strict=True)]
    assert all(0.899 < share < 1.101 for share in shares)
    assert max(shares) - min(shares) > 0.05, "without jitter all shares would be alike"
    [delivery] = await stand.deliveries(endpoint)
    assert (delivery["state"], delivery["next_attempt_at"]) == ("exhausted", None)
    assert [attempt["number"] for attempt in delivery["attempts"]] == list(range(1, 11))
    assert {(attempt["status"], attempt["answer"]) for attempt in delivery["attempts"]} == {
        (500, "no")
    }


@in_world(retry_schedule="5s,5m")
async def test_a_retry_keeps_its_id_and_body_and_is_signed_afresh(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.reply = Reply(503)
    await stand.pay()
    await asyncio.sleep(3600)
    calls = stand.sink.calls
    assert len(calls) == 3
    assert len({(call.id, call.body) for call in calls}) == 1
    for call in calls:
        assert 0 <= call.at - call.timestamp_s < 1.01
        assert signers_of(call.headers, call.body, endpoint["secret"]) == [endpoint["secret"]]


@in_world(retry_schedule="5s,5m,1h")
async def test_success_ends_the_retries(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(500), Reply(204)]
    await stand.pay()
    await asyncio.sleep(7200)
    assert len(stand.sink.calls) == 2
    [delivery] = await stand.deliveries(endpoint)
    assert delivery["state"] == "delivered"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 204]


@in_world(retry_schedule="none")
async def test_without_retries_there_is_one_attempt(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.reply = Reply(500)
    await stand.pay()
    await asyncio.sleep(7200)
    assert len(stand.sink.calls) == 1


@in_world(retry_schedule="1m", time_scale=60)
async def test_a_time_scale_makes_retries_faster(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(500)]
    await stand.pay()
    await asyncio.sleep(1.2)
    assert len(stand.sink.calls) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@in_world(retry_schedule="1m")
async def test_a_redirect_is_a_failure_and_is_not_followed(stand, status):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(status, headers={"location": "http://second:9000/hooks"})]
    await stand.pay()
    await asyncio.sleep(3600)
    assert stand.sinks["second"].calls == []
    [delivery] = await stand.deliveries(endpoint)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [status, 200]


@pytest.mark.parametrize("reply", [Reply(None), Reply(200, delay_s=16)])
@in_world(retry_schedule="1m", attempt_timeout="15s")
async def test_an_answer_that_does_not_come_in_time_is_a_failure(stand, reply):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [reply]
    await stand.pay()
    await asyncio.sleep(14)
    assert (await stand.deliveries(endpoint))[0]["state"] == "sending"
    await asyncio.sleep(3600)
    [delivery] = await stand.deliveries(endpoint)
    first, second = delivery["attempts"]
    assert (first["status"], first["error"]) == (None, "no answer within 15 s")
    assert first["duration_ms"] == pytest.approx(15_000, abs=10)
    assert second["status"] == 200


@in_world(attempt_timeout="15s")
async def test_an_answer_that_trickles_has_the_same_time_in_all(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=4, body=b"x", pieces=100)]
    await stand.pay()
    await asyncio.sleep(15.5)
    [attempt] = (await stand.deliveries(endpoint))[0]["attempts"]
    assert (attempt["status"], attempt["error"]) == (None, "no answer within 15 s")
    assert attempt["duration_ms"] == pytest.approx(15_000, abs=10)


@in_world(retry_schedule="1m")
async def test_an_answer_just_in_time_is_taken(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=14.9)]
    await stand.pay()
    await asyncio.sleep(3600)
    assert len(stand.sink.calls) == 1


@in_world(retry_schedule="1m")
async def test_an_endpoint_that_is_down_is_tried_again(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.world.crash("sink", down_s=30)
    await stand.pay()
    await asyncio.sleep(3600)
    [delivery] = await stand.deliveries(endpoint)
    first, second = delivery["attempts"]
    assert (first["status"], first["error"]) == (None, "connection refused or reset")
    assert second["status"] == 200


@in_world(connect_timeout="3s", attempt_timeout="15s")
async def test_a_machine_that_is_gone_is_waited_for_no_longer_than_connecting_may_take(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.world.crash("sink", "power")
    await stand.pay()
    await asyncio.sleep(4)
    [attempt] = (await stand.deliveries(endpoint))[0]["attempts"]
    assert attempt["error"] == "no connection within 3 s"
    assert attempt["duration_ms"] == pytest.approx(3000, abs=10)


@in_world()
async def test_only_the_beginning_of_an_answer_is_kept(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.reply = Reply(200, body=b"x" * 100_000)
    await stand.pay()
    await asyncio.sleep(1)
    [delivery] = await stand.deliveries(endpoint)
    assert delivery["attempts"][0]["answer"] == "x" * 300


# -- which endpoint gets what -------------------------------------------------------------------


@in_world()
async def test_every_endpoint_gets_what_it_asks_for(stand):
    await stand.add_endpoint("sink", events=["payment.succeeded", "payment.failed"])
    await stand.add_endpoint("second")
    await stand.pay("a")
    await stand.pay("b", payment_method="card_declined")
    await asyncio.sleep(5)
    assert sorted(stand.sink.types) == ["failed", "succeeded"]
    assert sorted(stand.sinks["second"].types) == [
        "failed", "processing", "processing", "succeeded",
    ]  # fmt: skip


@in_world()
async def test_an_endpoint_gets_only_what_happens_after_it_was_made(stand):
    await stand.pay("before")
    await asyncio.sleep(1)
    await stand.add_endpoint()
    await stand.pay("after")
    await asyncio.sleep(10)
    seen = sorted((call.reference, call.type) for call in stand.sink.calls)
    assert seen == [
        ("after", "payment.processing"),
        ("after", "payment.succeeded"),
        ("before", "payment.succeeded"),
    ]


@in_world()
async def test_more_endpoints_than_fit_on_a_page_all_get_their_events(stand):
    for number in range(1005):
        url = {"url": f"{stand.sink.url}/{number}", "events": ["payment.processing"]}
        await stand.call("POST", "/v1/webhook_endpoints", url)
    await stand.pay()
    await asyncio.sleep(5)
    assert len({call.path for call in stand.sink.calls}) == 1005


def fates(stand, endpoint):
    """Return the states and due times on disk, which the API shows for no deleted endpoint."""
    question = "SELECT state, due_at FROM deliveries WHERE endpoint_id = ?"
    rows = stand.psp.disk.connection.execute(question, (endpoint["id"],))
    return [(row["state"], row["due_at"]) for row in rows]


@in_world(retry_schedule="5s,1m,1h")
async def test_deleting_an_endpoint_ends_its_deliveries(stand):
    endpoint = await stand.add_endpoint()
    await stand.add_endpoint("second")
    stand.sink.reply = Reply(500)
    await stand.pay()
    await asyncio.sleep(1)
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    answer = await stand.call("DELETE", path)
    assert (answer.status, answer.json["deleted"]) == (200, True)
    await asyncio.sleep(7200)
    assert len(stand.sink.calls) == 1
    assert len(stand.sinks["second"].calls) == 2
    assert (await stand.call("GET", path)).status == 404
    assert fates(stand, endpoint) == [("cancelled", None)]


@in_world(retry_schedule="5s,1m")
async def test_an_endpoint_that_is_deleted_during_a_call_gets_no_more(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.reply = Reply(500, delay_s=5)
    await stand.pay()
    await asyncio.sleep(1)
    await stand.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    await asyncio.sleep(7200)
    assert len(stand.sink.calls) == 1
    assert fates(stand, endpoint) == [("cancelled", None)]


# -- how many at a time -------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [(), ({"kind": "duplicate", "copies": 2},)])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
@in_world(settle_after="1h")
async def test_no_more_calls_are_under_way_than_allowed(stand, limit, faults):
    object.__setattr__(stand.settings, "delivery_concurrency", limit)
    object.__setattr__(stand.settings, "faults", faults)
    await stand.world.restart("psp")
    endpoint = await stand.add_endpoint()
    stand.sink.reply = Reply(200, delay_s=1)
    await asyncio.gather(*(stand.pay(f"order-{number}") for number in range(12)))
    await asyncio.sleep(0.5)
    states = [delivery["state"] for delivery in await stand.deliveries(endpoint)]
    assert states.count("sending") <= limit, "more was claimed than there are places"
    await asyncio.sleep(60)
    calls = 12 * (1 + len(faults))
    assert len({call.reference for call in stand.sink.calls}) == 12
    assert len(stand.sink.calls) == calls
    assert stand.sink.under_way_max == limit
    took_s = max(call.ended_at for call in stand.sink.calls) - stand.sink.calls[0].at
    assert took_s < -(-calls // limit) + 1.5


@in_world(delivery_concurrency=4, attempt_timeout="15s")
async def test_a_slow_endpoint_does_not_hold_up_another(stand):
    await stand.add_endpoint("sink", events=["payment.processing"])
    await stand.add_endpoint("second", events=["payment.processing"])
    stand.sink.reply = Reply(None)
    await asyncio.gather(*(stand.pay(f"order-{number}") for number in range(20)))
    await asyncio.sleep(1)
    assert stand.sink.under_way == 4
    assert len(stand.sinks["second"].calls) == 20


@in_world(delivery_concurrency=2)
async def test_a_failure_of_one_delivery_does_not_hold_up_the_next(stand):
    await stand.add_endpoint()
    stand.sink.reply = lambda call: Reply(500 if call.reference == "bad" else 200)
    await stand.pay("bad")
    for number in range(5):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(5)
    assert {call.reference for call in stand.sink.calls} == {
        "bad",
        *(f"order-{n}" for n in range(5)),
    }


@in_world()
async def test_what_is_due_first_is_sent_first(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.world.crash("sink")
    for number in range(5):
        await stand.pay(f"order-{number}")
        await asyncio.sleep(0.5)
    await stand.world.start("sink")
    await asyncio.sleep(60)
    first_calls = list(dict.fromkeys(call.reference for call in stand.sink.calls))
    assert len(first_calls) == 5


@in_world()
async def test_an_idle_provider_sleeps(stand):
    """A provider that polled would fill these days with steps."""
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(10)
    before = stand.world.loop.steps
    await asyncio.sleep(30 * 86400)
    assert stand.world.loop.steps - before < 5


@in_world(retry_schedule="5s")
async def test_the_deliveries_of_an_endpoint_tell_what_happened(stand):
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(500, body=b"oops"), Reply(200, body=b"thanks")]
    payment = await stand.pay()
    await asyncio.sleep(60)
    [delivery] = await stand.deliveries(endpoint)
    attempts = delivery.pop("attempts")
    call = stand.sink.calls[0]
    assert delivery.pop("id").startswith("dlv_")
    assert delivery == {
        "object": "delivery",
        "event": call.id,
        "type": "payment.processing",
        "payment": payment["id"],
        "sequence": 1,
        "endpoint": endpoint["id"],
        "state": "delivered",
        "next_attempt_at": None,
    }
    assert json.dumps(attempts[0]["faults"]) == "[]"
    assert [(a["number"], a["copy"], a["status"], a["answer"]) for a in attempts] == [
        (1, 1, 500, "oops"),
        (2, 1, 200, "thanks"),
    ]
    assert [a["webhook_timestamp"] for a in attempts] == [c.timestamp_s for c in stand.sink.calls]
