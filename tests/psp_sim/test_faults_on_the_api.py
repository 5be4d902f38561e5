"""Every fault on the API and the provider: what the client sees, and whether it happened."""

import asyncio

import httpx
import pytest

from scenarios.world.world import START_2026
from tests.psp_sim.stand import in_world, payment_body, play


async def no_answer(stand, body=None, key="k", timeout_s=5.0):
    with pytest.raises(httpx.ReadTimeout):
        await stand.create(body or payment_body(), key, timeout_s=timeout_s)


async def count(stand, path="/v1/payments"):
    return len(await stand.get_all(path))


@in_world()
async def test_lose_request_gives_no_answer_and_does_nothing(stand):
    await stand.install("lose_request", operation="create_payment", attempt=1)
    await no_answer(stand)
    assert await count(stand) == 0
    retry = await stand.create(payment_body(), "k")
    assert (retry.status, retry.headers.get("idempotent-replayed")) == (201, None)
    assert await count(stand) == 1
    assert await stand.fired() == {"lose_request": 1}


@in_world()
async def test_lose_response_gives_no_answer_and_does_it(stand):
    await stand.install("lose_response", operation="create_payment", attempt=1)
    await no_answer(stand)
    assert await count(stand) == 1
    retry = await stand.create(payment_body(), "k")
    assert (retry.status, retry.headers["idempotent-replayed"]) == (201, "true")
    assert await count(stand) == 1
    assert await stand.fired() == {"lose_response": 1}


@in_world()
async def test_lose_response_loses_refusals_too(stand):
    await stand.install("lose_response", operation="create_payment")
    await no_answer(stand, payment_body(amount=-1))
    assert await count(stand) == 0


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
@in_world()
async def test_an_error_comes_before_or_after_the_effect(stand, when, made):
    await stand.install("error", operation="create_payment", status=502, when=when, attempt="1..2")
    for _ in range(2):
        answer = await stand.create(payment_body(), "k")
        assert (answer.status, answer.json["code"]) == (502, "simulated_error")
        assert answer.json["definite"] is False
        assert answer.headers["content-type"] == "application/problem+json"
        assert await count(stand) == made
    retry = await stand.create(payment_body(), "k")
    assert retry.status == 201
    assert ("idempotent-replayed" in retry.headers) is bool(made)
    assert await count(stand) == 1
    assert await stand.fired() == {"error": 2}


@in_world()
async def test_an_error_is_503_before_the_effect_unless_it_says_otherwise(stand):
    await stand.install("error", operation="create_payment")
    assert (await stand.create(payment_body())).status == 503
    assert await count(stand) == 0


OPERATIONS = {
    "create_payment": ("POST", "/v1/payments"),
    "list_payments": ("GET", "/v1/payments"),
    "read_payment": ("GET", "/v1/payments/{payment}"),
    "capture_payment": ("POST", "/v1/payments/{payment}/capture"),
    "cancel_payment": ("POST", "/v1/payments/{payment}/cancel"),
    "authenticate_payment": ("POST", "/v1/payments/{payment}/authenticate"),
    "create_refund": ("POST", "/v1/refunds"),
    "list_refunds": ("GET", "/v1/refunds"),
    "read_refund": ("GET", "/v1/refunds/re_none"),
    "list_events": ("GET", "/v1/events"),
    "read_event": ("GET", "/v1/events/{event}"),
    "create_endpoint": ("POST", "/v1/webhook_endpoints"),
    "list_endpoints": ("GET", "/v1/webhook_endpoints"),
    "read_endpoint": ("GET", "/v1/webhook_endpoints/{endpoint}"),
    "rotate_secret": ("POST", "/v1/webhook_endpoints/{endpoint}/rotate_secret"),
    "list_deliveries": ("GET", "/v1/webhook_endpoints/{endpoint}/deliveries"),
    "update_endpoint": ("PATCH", "/v1/webhook_endpoints/{endpoint}"),
    "enable_endpoint": ("POST", "/v1/webhook_endpoints/{endpoint}/enable"),
    "test_endpoint": ("POST", "/v1/webhook_endpoints/{endpoint}/test"),
    "recover_endpoint": ("POST", "/v1/webhook_endpoints/{endpoint}/recover"),
    "redeliver": ("POST", "/v1/deliveries/{delivery}/redeliver"),
    "delete_endpoint": ("DELETE", "/v1/webhook_endpoints/{endpoint}"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@in_world()
async def test_every_operation_can_be_named_and_no_other_is_hit(stand, operation):
    endpoint, payment = await stand.add_endpoint(), await stand.pay()
    [delivery] = await stand.deliveries(endpoint)
    [event] = await stand.get_all("/v1/events")
    await stand.install("error", operation=operation, status=599)
    bodies = {
        "create_payment": payment_body("order-2"),
        "create_endpoint": {"url": stand.sink.url},
        "rotate_secret": {},
        "authenticate_payment": {"result": "approved"},
        "create_refund": {"payment": payment["id"]},
        "update_endpoint": {"events": ["*"]},
        "recover_endpoint": {"since": event["id"]},
    }
    hit = []
    for name, (method, path) in OPERATIONS.items():
        path = path.format(
            payment=payment["id"],
            event=event["id"],
            endpoint=endpoint["id"],
            delivery=delivery["id"],
        )
        headers = {"idempotency-key": f"key of {name}".replace(" ", "-")}
        answer = await stand.call(method, path, bodies.get(name), headers=headers)
        # 404 and 409: the payment is still processing, and has no refund yet.
        assert answer.status in (200, 201, 404, 409, 599), answer.text
        hit += [name] if answer.status == 599 else []
    assert hit == [operation]


@in_world()
async def test_a_fault_for_no_operation_in_particular_hits_all(stand):
    await stand.install("error", status=500)
    assert (await stand.create(payment_body())).status == 500
    assert (await stand.call("GET", "/v1/events")).status == 500
    assert (await stand.call("GET", "/healthz")).status == 200


@in_world()
async def test_an_order_is_hit_when_it_is_made_and_when_it_is_read(stand):
    first, second = await stand.pay("a"), await stand.pay("b")
    await stand.install("error", order=2)
    assert (await stand.call("GET", f"/v1/payments/{first['id']}")).status == 200
    assert (await stand.call("GET", f"/v1/payments/{second['id']}")).status == 503
    assert (await stand.create(payment_body("b"))).status == 503
    assert (await stand.create(payment_body("c"))).status == 201
    await stand.install("error", order="c", status=500)
    assert (await stand.create(payment_body("c"))).status == 500


@in_world()
async def test_an_order_whose_request_was_lost_keeps_its_number(stand):
    await stand.install("lose_request", operation="create_payment", order=2, attempt=1)
    await stand.pay("a")
    await no_answer(stand, payment_body("b"), "kb")
    await stand.pay("c")
    await stand.pay("b", "kb")
    await stand.install("error", order=2)
    for payment in await stand.get_all("/v1/payments"):
        answer = await stand.call("GET", f"/v1/payments/{payment['id']}")
        assert answer.status == (503 if payment["reference"] == "b" else 200)


@in_world()
async def test_attempts_are_counted_for_each_order_and_operation_alone(stand):
    await stand.install("error", operation="create_payment", attempt=2)
    statuses = [(await stand.create(payment_body(ref))).status for ref in "aabbab"]
    assert statuses == [201, 503, 201, 503, 201, 201]


@in_world()
async def test_a_refused_key_is_refused_before_any_fault(stand):
    await stand.install("error")
    headers = {"authorization": "Bearer wrong"}
    assert (await stand.call("GET", "/v1/payments", headers=headers)).status == 401
    assert await stand.fired() == {}


@in_world()
async def test_a_script_in_the_metadata_acts_on_the_requests_for_its_payment(stand):
    body = payment_body(metadata={"sim": "lose_response|error(status=500)|ok"})
    await no_answer(stand, body)
    assert (await stand.create(body, "k")).status == 500
    retry = await stand.create(body, "k")
    assert (retry.status, retry.headers["idempotent-replayed"]) == (201, "true")
    assert await stand.fired() == {"lose_response": 1, "error": 1}
    assert await count(stand) == 1


@in_world()
async def test_a_script_without_faults_changes_nothing(stand):
    assert (await stand.create(payment_body(metadata={"sim": "ok"}))).status == 201
    assert await stand.fired() == {}


# -- outage -------------------------------------------------------------------------------------


async def broken_off(stand, path="/v1/payments"):
    with pytest.raises(httpx.RemoteProtocolError):
        await stand.call("GET", path)


@in_world()
async def test_an_outage_breaks_connections_off_and_ends_by_itself(stand):
    await stand.install("outage", **{"for": "1m"})
    await broken_off(stand)
    with pytest.raises(httpx.RemoteProtocolError):
        await stand.create(payment_body())
    await asyncio.sleep(59)
    await broken_off(stand)
    await asyncio.sleep(1)
    assert await count(stand) == 0
    assert (await stand.fired())["outage"] == 3


@in_world()
async def test_during_an_outage_no_webhook_leaves_and_after_it_all_do(stand):
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(1)
    await stand.install("outage", **{"for": "10m"})
    start = stand.now()
    await asyncio.sleep(599)
    assert stand.sink.types == ["processing"]
    await asyncio.sleep(2)
    assert stand.sink.types == ["processing", "succeeded"]
    assert stand.sink.calls[1].at - start == pytest.approx(600, abs=0.1)
    assert (await stand.fired())["outage"] >= 1


@pytest.mark.parametrize(
    "held",
    [
        {"kind": "delay", "by": "2m"},
        {"kind": "duplicate", "spacing": "2m"},
        {"kind": "reorder", "event": "payment.processing", "after": "payment.succeeded"},
    ],
)
@in_world(settle_after="2m")
async def test_what_a_fault_holds_back_does_not_leave_during_an_outage(stand, held):
    await stand.add_endpoint(events=["payment.processing"])
    await stand.install(**held)
    await stand.pay()
    await asyncio.sleep(60)
    before = len(stand.sink.calls)
    await stand.install("outage", **{"for": "10m"})
    await asyncio.sleep(599)
    assert len(stand.sink.calls) == before
    await asyncio.sleep(2)
    assert len(stand.sink.calls) == before + 1


@pytest.mark.parametrize("all_at_once", [True, False])
@in_world()
async def test_an_outage_ends_when_it_is_lifted(stand, all_at_once):
    await stand.add_endpoint()
    fault = await stand.install("outage", **{"for": "10d"})
    await asyncio.sleep(1)
    await broken_off(stand)
    await stand.lift(None if all_at_once else fault)
    await stand.pay()
    await asyncio.sleep(1)
    assert stand.sink.types == ["processing"]


@in_world()
async def test_webhooks_resume_as_soon_as_an_outage_is_lifted(stand):
    await stand.add_endpoint()
    await stand.install("delay", by="1s")
    await stand.pay()
    await asyncio.sleep(0.5)
    outage = await stand.install("outage", **{"for": "10d"})
    await asyncio.sleep(60)
    assert stand.sink.calls == []
    await stand.lift(outage)
    await asyncio.sleep(0.1)
    assert stand.sink.types == ["processing"]
    await asyncio.sleep(2)
    assert stand.sink.types == ["processing", "succeeded"]


@in_world(time_scale=60)
async def test_a_time_scale_makes_an_outage_shorter(stand):
    await stand.install("outage", **{"for": "1m"})
    await asyncio.sleep(0.9)
    await broken_off(stand)
    await asyncio.sleep(0.2)
    assert await count(stand) == 0


@in_world()
async def test_an_outage_outlives_a_restart_and_ends_when_it_would_have(stand):
    await stand.install("outage", **{"for": "1m"})
    await stand.world.restart("psp")
    await broken_off(stand)
    await asyncio.sleep(61)
    assert await count(stand) == 0


async def seconds_of_calls(stand):
    """Pay for two orders, and ask for the first once more: how long each of the answers took."""
    by = {"distribution": "uniform", "minimum": "1s", "maximum": "20s"}
    await stand.install("slow_response", by=by)
    seconds = []
    for reference, key in [("o1", "a"), ("o1", "a"), ("o2", "b")]:
        before = stand.now()
        assert (await stand.create(payment_body(reference), key)).status == 201
        seconds.append(round(stand.now() - before, 6))
    return seconds


def test_a_random_time_follows_from_the_seed_and_the_call_and_not_from_the_time_of_day():
    today = play(seconds_of_calls)
    assert play(seconds_of_calls, start=START_2026 + 86_400.5) == today
    assert play(seconds_of_calls, seed=8) != today
    assert len(set(today)) == 3
