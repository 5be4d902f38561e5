"""Endpoints that fail: what slows down, what disables, and how nothing is lost by it."""

import asyncio
import itertools
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from psp_sim.domain.retry_schedule import SCHEDULES
from tests.psp_sim.stand import Reply, in_world

PROCESSING = {"events": ["payment.processing"]}


async def post(stand, endpoint, action, body=None):
    return await stand.call("POST", f"/v1/webhook_endpoints/{endpoint['id']}/{action}", body)


async def read(stand, endpoint):
    return await stand.get(f"/v1/webhook_endpoints/{endpoint['id']}")


async def gaps(stand, wait_s):
    await stand.pay()
    await asyncio.sleep(wait_s)
    times = [call.at for call in stand.sink.calls]
    return [round(later - earlier) for earlier, later in itertools.pairwise(times)]


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (500, {}, 100),
        (503, {"retry-after": "150"}, 150),
        (503, {"retry-after": "9999"}, 200),
        (503, {"retry-after": "1"}, 100),
        (503, {"retry-after": "soon"}, 100),
        (429, {}, 100),
    ],
)
@in_world()
async def test_retry_after_counts_from_the_schedule_up_to_twice_that(
    stand, status, headers, expected
):
    await stand.add_endpoint(**PROCESSING, retry_schedule={"delays": ["100s"], "jitter": 0})
    stand.sink.script = [Reply(status, headers=headers)]
    assert await gaps(stand, 1000) == [expected]


@in_world()
async def test_retry_after_may_be_a_date(stand):
    await stand.add_endpoint(**PROCESSING, retry_schedule={"delays": ["100s"], "jitter": 0})
    date = format_datetime(datetime.fromtimestamp(stand.now() + 160, UTC), usegmt=True)
    stand.sink.script = [Reply(503, headers={"retry-after": date})]
    [gap] = await gaps(stand, 1000)
    assert 158 <= gap <= 160


@pytest.mark.parametrize("status", [429, 502, 504])
@in_world()
async def test_an_endpoint_that_is_overloaded_gets_a_minute_at_least(stand, status):
    await stand.add_endpoint(**PROCESSING, retry_schedule={"delays": ["5s"], "jitter": 0})
    stand.sink.script = [Reply(status)]
    assert await gaps(stand, 1000) == [60]


@in_world(retry_schedule="none")
async def test_an_endpoint_may_have_a_schedule_of_its_own(stand):
    first = await stand.add_endpoint(**PROCESSING, retry_schedule="square")
    second = await stand.add_endpoint("second", **PROCESSING)
    assert (first["retry_schedule"], second["retry_schedule"]) == ("square", None)
    for name in ("sink", "second"):
        stand.sinks[name].reply = Reply(500)
    await stand.pay()
    await asyncio.sleep(2 * 86400)
    times = [call.at for call in stand.sink.calls]
    plain = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert plain == pytest.approx(SCHEDULES["square"].delays_s, abs=1)
    assert len(stand.sinks["second"].calls) == 1


@in_world()
async def test_410_disables_at_once_and_tells_the_others(stand):
    endpoint = await stand.add_endpoint()
    await stand.add_endpoint("second", events=["endpoint.disabled"])
    stand.sink.reply = Reply(410)
    await stand.pay("order-1")
    await asyncio.sleep(10)
    shown = await read(stand, endpoint)
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "it answered 410 Gone")
    assert len(stand.sink.calls) == 1
    [told] = stand.sinks["second"].calls
    assert (told.type, told.event["sequence"], told.event["data"]) == (
        "endpoint.disabled",
        0,
        shown,
    )
    [logged] = await stand.get_all("/v1/events?type=endpoint.disabled")
    assert logged == told.event
    await stand.pay("order-2")
    await asyncio.sleep(86400)
    assert len(stand.sink.calls) == 1


@in_world(disable_after_failures=3, retry_schedule="1m,1m,1m,1m,1m")
async def test_failures_in_a_row_disable_and_a_success_starts_anew(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(500), Reply(500), Reply(200)]
    stand.sink.reply = Reply(500)
    await stand.pay("order-1")
    await asyncio.sleep(200)
    await stand.pay("order-2")
    await asyncio.sleep(100)
    assert (await read(stand, endpoint))["status"] == "enabled"
    await asyncio.sleep(100)
    shown = await read(stand, endpoint)
    assert shown["disabled_reason"] == "3 attempts failed in a row"
    assert len(stand.sink.calls) == 6


@in_world(disable_after="1d", retry_schedule="1h,22h,2h,2h")
async def test_failing_for_too_long_disables(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.reply = Reply(500)
    await stand.pay()
    await asyncio.sleep(23.5 * 3600)
    assert (await read(stand, endpoint))["status"] == "enabled"
    await asyncio.sleep(86400)
    shown = await read(stand, endpoint)
    assert shown["status"] == "disabled"
    assert shown["disabled_reason"].startswith("every attempt has failed for 1d")
    assert [d["state"] for d in await stand.deliveries(endpoint)] == ["cancelled"]


@pytest.mark.parametrize("since", ["time", "event"])
@in_world()
async def test_what_was_missed_while_disabled_can_be_recovered(stand, since):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.pay("before")
    await asyncio.sleep(5)
    [before] = stand.sink.calls
    moment = datetime.fromtimestamp(stand.now(), UTC).isoformat()
    stand.sink.reply = Reply(410)
    await stand.pay("refused")
    await asyncio.sleep(5)
    await stand.pay("skipped")
    stand.sink.reply = Reply(200)
    since = {"since": moment if since == "time" else before.id}
    refused = await post(stand, endpoint, "recover", since)
    assert (refused.status, refused.json["code"]) == (409, "endpoint_disabled")
    assert (await post(stand, endpoint, "enable")).json["status"] == "enabled"
    await asyncio.sleep(5)
    assert len(stand.sink.calls) == 2
    assert (await post(stand, endpoint, "recover", since)).json == {"recovered": 2}
    await asyncio.sleep(5)
    assert [call.reference for call in stand.sink.calls[2:]] == ["refused", "skipped"]
    assert (await post(stand, endpoint, "recover", since)).json == {"recovered": 0}
    states = [delivery["state"] for delivery in await stand.deliveries(endpoint)]
    assert states == ["delivered"] * 3


@pytest.mark.parametrize(("since", "status"), [("yesterday", 400), ("evt_none", 404)])
@in_world()
async def test_recovering_from_nowhere_is_refused(stand, since, status):
    endpoint = await stand.add_endpoint()
    assert (await post(stand, endpoint, "recover", {"since": since})).status == status


@in_world(retry_schedule="1m")
async def test_a_delivery_can_be_sent_again_with_the_whole_schedule(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(500), Reply(500), Reply(500)]
    await stand.pay()
    await asyncio.sleep(200)
    [delivery] = await stand.deliveries(endpoint)
    assert delivery["state"] == "exhausted"
    answer = await stand.call("POST", f"/v1/deliveries/{delivery['id']}/redeliver")
    assert (answer.status, answer.json["state"]) == (200, "scheduled")
    await asyncio.sleep(200)
    [delivery] = await stand.deliveries(endpoint)
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2, 3, 4]
    assert delivery["state"] == "delivered"
    assert len({call.id for call in stand.sink.calls}) == 1
    await stand.call("POST", f"/v1/deliveries/{delivery['id']}/redeliver")
    await asyncio.sleep(5)
    assert len(stand.sink.calls) == 5
    missing = await stand.call("POST", "/v1/deliveries/dlv_none/redeliver")
    assert missing.status == 404


@in_world()
async def test_an_endpoint_is_changed_and_what_is_left_out_stays(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    second = stand.sinks["second"]
    changed = await stand.call("PATCH", path, {"url": second.url, "retry_schedule": "mollie"})
    assert changed.json == {key: value for key, value in endpoint.items() if key != "secret"} | {
        "url": second.url,
        "retry_schedule": "mollie",
    }
    assert (await stand.call("PATCH", path, {"retry_schedule": None})).json[
        "retry_schedule"
    ] is None
    await stand.call("PATCH", path, {"events": ["payment.*"]})
    await stand.pay()
    await asyncio.sleep(5)
    assert second.types == ["processing", "succeeded"]
    for wrong in ({}, {"url": "x"}, {"events": []}, {"retry_schedule": "daily"}, {"secret": "x"}):
        assert (await stand.call("PATCH", path, wrong)).status == 400, wrong


@in_world()
async def test_a_test_event_is_signed_and_its_answer_told(stand):
    endpoint = await stand.add_endpoint(events=["payment.failed"])
    assert (await post(stand, endpoint, "test")).json == {
        "delivered": True,
        "status": 200,
        "error": None,
    }
    [call] = stand.sink.calls
    assert (call.type, call.event["data"]["id"]) == ("endpoint.test", endpoint["id"])
    assert endpoint["secret"] not in call.body.decode()
    stand.sink.script = [Reply(500), Reply(None)]
    assert (await post(stand, endpoint, "test")).json["status"] == 500
    silent = (await post(stand, endpoint, "test")).json
    assert silent == {"delivered": False, "status": None, "error": "no answer within 15 s"}


@in_world()
async def test_an_endpoint_is_verified_before_it_is_registered(stand):
    body = {"url": stand.sink.url, "verify": True}
    stand.sink.script = [Reply(401, body=b"who are you?")]
    refused = await stand.call("POST", "/v1/webhook_endpoints", body)
    assert (refused.status, refused.json["code"]) == (400, "endpoint_not_verified")
    assert "status 401: who are you?" in refused.json["detail"]
    assert await stand.get_all("/v1/webhook_endpoints") == []
    headers = {"idempotency-key": "k"}
    made = await stand.call("POST", "/v1/webhook_endpoints", body, headers=headers)
    again = await stand.call("POST", "/v1/webhook_endpoints", body, headers=headers)
    assert (made.status, again.text) == (201, made.text)
    assert [call.type for call in stand.sink.calls] == ["endpoint.test"] * 2


@in_world(disable_after_failures=2, retry_schedule="none")
async def test_a_success_clears_also_a_failure_that_came_while_it_was_under_way(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(200, delay_s=5.0), Reply(500), Reply(500)]
    await stand.pay("slow")
    await stand.pay("fails")
    await asyncio.sleep(10)
    await stand.pay("fails-again")
    await asyncio.sleep(1)
    assert len(stand.sink.calls) == 3
    assert (await read(stand, endpoint))["status"] == "enabled"
