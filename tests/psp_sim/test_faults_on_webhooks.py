"""Every fault on webhooks: what the endpoint sees, what is counted, what lifting lets go."""

import asyncio

import pytest

from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world

PROCESSING = {"events": ["payment.processing"]}


async def pay_and_wait(stand, wait_s=1.0, **fields):
    payment = await stand.pay(**fields)
    await asyncio.sleep(wait_s)
    return payment


def is_signed(call, endpoint):
    return signers_of(call.headers, call.body, endpoint["secret"]) == [endpoint["secret"]]


async def attempts_of(stand, endpoint):
    [delivery] = await stand.deliveries(endpoint)
    return delivery["attempts"]


@in_world(retry_schedule="1m")
async def test_drop_keeps_an_attempt_from_arriving(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("drop", attempt=1)
    await pay_and_wait(stand, 60)
    assert stand.sink.calls == []
    await asyncio.sleep(60)
    assert len(stand.sink.calls) == 1
    first, second = await attempts_of(stand, endpoint)
    assert (first["status"], first["error"]) == (None, "no answer within 15 s")
    assert (first["faults"], second["faults"]) == (["drop"], [])
    assert await stand.fired() == {"drop": 1}


@in_world()
async def test_delay_holds_a_webhook_back_and_signs_it_late(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by="10m")
    await pay_and_wait(stand, 599)
    assert stand.sink.calls == []
    await asyncio.sleep(2)
    [call] = stand.sink.calls
    assert abs(call.at - call.timestamp_s) <= 1
    assert await stand.fired() == {"delay": 1}


@in_world()
async def test_a_delay_in_the_network_makes_the_signature_old(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by="10m", where="network")
    await pay_and_wait(stand, 601)
    [call] = stand.sink.calls
    assert 599 <= call.at - call.timestamp_s <= 601
    assert is_signed(call, endpoint)


@in_world()
async def test_a_delay_may_be_drawn_and_is_drawn_for_each_order_alone(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by={"distribution": "uniform", "minimum": "1s", "maximum": "9s"})
    start = stand.now()
    for number in range(20):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(10)
    late = [call.at - start for call in stand.sink.calls]
    assert len(late) == 20
    assert max(late) - min(late) > 4


@in_world()
async def test_duplicate_sends_the_same_fact_again_at_the_same_time(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.reply = Reply(200, delay_s=0.5)
    await stand.install("duplicate", copies=3)
    await pay_and_wait(stand)
    assert len({(call.id, call.body) for call in stand.sink.calls}) == 1
    assert len(stand.sink.calls) == stand.sink.under_way_max == 3
    assert [attempt["copy"] for attempt in await attempts_of(stand, endpoint)] == [1, 2, 3]
    assert await stand.fired() == {"duplicate": 1}


@in_world()
async def test_spaced_copies_come_one_after_another_each_signed_afresh(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("duplicate", copies=3, spacing="10m")
    await pay_and_wait(stand, 1300)
    first, second, third = stand.sink.calls
    assert second.at - first.at == pytest.approx(600, abs=0.1)
    assert third.timestamp_s - first.timestamp_s in (1199, 1200, 1201)
    for call in stand.sink.calls:
        assert is_signed(call, endpoint)


@in_world()
async def test_copies_may_carry_new_ids_in_header_and_body(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("duplicate", copies=3, ids="new")
    await pay_and_wait(stand)
    assert len({call.id for call in stand.sink.calls}) == 3
    assert len({str(call.event | {"id": ""}) for call in stand.sink.calls}) == 1
    for call in stand.sink.calls:
        assert call.event["id"] == call.id
        assert is_signed(call, endpoint)


@in_world(retry_schedule="1m")
async def test_one_accepted_copy_is_enough(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(500), Reply(200)]
    await stand.install("duplicate", attempt=1)
    await pay_and_wait(stand, 3600)
    assert len(stand.sink.calls) == 2
    assert (await stand.deliveries(endpoint))[0]["state"] == "delivered"


@in_world(delivery_concurrency=2)
async def test_copies_take_their_turn_like_every_call(stand):
    await stand.add_endpoint(**PROCESSING)
    stand.sink.reply = Reply(200, delay_s=1)
    await stand.install("duplicate", copies=5)
    await pay_and_wait(stand, 10)
    assert len(stand.sink.calls) == 5
    assert stand.sink.under_way_max == 2


@in_world()
async def test_reorder_lets_the_newer_event_arrive_first(stand):
    await stand.add_endpoint()
    await stand.install("reorder", event="payment.processing", after="payment.succeeded")
    await pay_and_wait(stand, 10)
    assert stand.sink.types == ["succeeded", "processing"]
    assert await stand.fired() == {"reorder": 1}


@in_world()
async def test_reorder_without_a_selector_still_lets_the_newer_event_through(stand):
    await stand.add_endpoint()
    await stand.install("reorder", after="payment.succeeded")
    await pay_and_wait(stand, 10)
    assert stand.sink.types == ["succeeded", "processing"]


@in_world()
async def test_reorder_within_a_window_may_swap_neighbours(stand):
    await stand.add_endpoint()
    await stand.install("reorder", window="1m")
    for number in range(10):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(90)
    assert len(stand.sink.calls) == 20
    orders = [call.reference for call in stand.sink.of_type("payment.processing")]
    assert orders != sorted(orders)
    assert stand.sink.types != ["processing"] * 10 + ["succeeded"] * 10


@in_world(retry_schedule="1m,1m")
async def test_the_older_event_waits_until_the_newer_one_is_accepted(stand):
    await stand.add_endpoint()
    stand.sink.script = [Reply(500), Reply(500)]
    await stand.install("reorder", event="payment.processing", after="payment.succeeded")
    await pay_and_wait(stand, 300)
    assert stand.sink.types == ["succeeded", "succeeded", "succeeded", "processing"]


@pytest.mark.parametrize("all_at_once", [True, False])
@in_world(settle_after="1h")
async def test_lifting_lets_go_of_what_waits_for_a_newer_event(stand, all_at_once):
    await stand.add_endpoint()
    fault = await stand.install("reorder", after="payment.succeeded")
    await pay_and_wait(stand, 60)
    assert stand.sink.calls == []
    assert await stand.lift(None if all_at_once else fault) == 1
    await asyncio.sleep(1)
    assert stand.sink.types == ["processing"]


@in_world()
async def test_an_event_waits_for_none_that_will_never_be(stand):
    """A declined payment never succeeds; its first event must not be lost for that."""
    await stand.add_endpoint()
    await stand.install("reorder", event="payment.processing", after="payment.succeeded")
    await pay_and_wait(stand, 10, payment_method="card_declined")
    assert sorted(stand.sink.types) == ["failed", "processing"]


@in_world()
async def test_an_event_waits_for_none_that_the_endpoint_does_not_take(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("reorder", after="payment.succeeded")
    await pay_and_wait(stand, 10)
    assert stand.sink.types == ["processing"]


@in_world(retry_schedule="none")
async def test_an_event_waits_no_longer_for_one_that_was_given_up(stand):
    await stand.add_endpoint()
    stand.sink.script = [Reply(500)]
    await stand.install("reorder", after="payment.succeeded")
    await pay_and_wait(stand, 10)
    assert stand.sink.types == ["succeeded", "processing"]


@in_world()
async def test_an_event_waits_for_its_own_endpoint_alone(stand):
    await stand.add_endpoint("sink")
    await stand.add_endpoint("second")
    stand.sinks["second"].reply = Reply(500)
    await stand.install("reorder", after="payment.succeeded")
    await pay_and_wait(stand, 3)
    assert stand.sink.types == ["succeeded", "processing"]
    assert stand.sinks["second"].types == ["succeeded"]


@pytest.mark.parametrize("limit", [1, 4, 64])
@in_world()
async def test_what_is_held_back_takes_no_place_from_what_is_not(stand, limit):
    object.__setattr__(stand.settings, "delivery_concurrency", limit)
    await stand.world.restart("psp")
    await stand.add_endpoint()
    await stand.install("delay", event="payment.processing", by="1d")
    for number in range(80):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(60)
    assert stand.sink.types == ["succeeded"] * 80
    await asyncio.sleep(2 * 86400)
    assert len(stand.sink.calls) == 160
    assert stand.sink.under_way_max <= limit


@in_world(delivery_concurrency=2)
async def test_many_held_events_do_not_keep_the_newer_ones_from_arriving(stand):
    await stand.add_endpoint()
    await stand.install("reorder", after="payment.succeeded")
    for number in range(10):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(30)
    assert sorted(stand.sink.types) == ["processing"] * 10 + ["succeeded"] * 10


@in_world()
async def test_a_deleted_endpoint_gets_nothing_of_what_was_held_back(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by="10m")
    await stand.install("duplicate", spacing="20m")
    await pay_and_wait(stand, 900)
    assert len(stand.sink.calls) == 1
    await stand.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    await asyncio.sleep(86400)
    assert len(stand.sink.calls) == 1


@in_world()
async def test_what_was_held_back_is_signed_with_the_secrets_of_when_it_leaves(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by="10m")
    await pay_and_wait(stand)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    new = (await stand.call("POST", path, {"overlap_s": 0})).json["secret"]
    await asyncio.sleep(700)
    [call] = stand.sink.calls
    assert signers_of(call.headers, call.body, endpoint["secret"], new) == [new]


@in_world(retry_schedule="1m")
async def test_corrupt_signature_is_never_valid_and_the_retry_is(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    stand.sink.script = [Reply(401)]
    await stand.install("corrupt_signature", attempt=1)
    await pay_and_wait(stand, 120)
    bad, good = stand.sink.calls
    assert not is_signed(bad, endpoint)
    assert is_signed(good, endpoint)
    assert await stand.fired() == {"corrupt_signature": 1}


@pytest.mark.parametrize(
    ("kind", "shift_s"), [("stale_timestamp", -600), ("future_timestamp", 600)]
)
@in_world()
async def test_a_timestamp_outside_the_window_is_signed_all_the_same(stand, kind, shift_s):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install(kind, by="10m")
    await pay_and_wait(stand)
    [call] = stand.sink.calls
    assert abs(call.timestamp_s - call.at - shift_s) <= 1
    assert is_signed(call, endpoint)
    assert await stand.fired() == {kind: 1}


# -- selectors and limits -----------------------------------------------------------------------


@in_world()
async def test_a_fault_hits_the_order_the_event_and_the_attempt_that_it_names(stand):
    endpoint = await stand.add_endpoint()
    stand.sink.reply = lambda call: Reply(500 if call.reference == "order-2" else 200)
    await stand.install("corrupt_signature", event="payment.succeeded", order=2, attempt="2..3")
    for number in (1, 2, 3):
        await stand.pay(f"order-{number}")
    await asyncio.sleep(10 * 3600)
    hit = [
        (delivery["type"], attempt["number"])
        for delivery in await stand.deliveries(endpoint)
        for attempt in delivery["attempts"]
        if attempt["faults"]
    ]
    assert hit == [("payment.succeeded", 2), ("payment.succeeded", 3)]
    bad = [call for call in stand.sink.calls if not is_signed(call, endpoint)]
    assert {(call.reference, call.type) for call in bad} == {("order-2", "payment.succeeded")}
    assert await stand.fired() == {"corrupt_signature": 2}


@in_world()
async def test_an_order_is_named_by_its_reference_too(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("duplicate", order="b")
    for reference in "abc":
        await stand.pay(reference)
    await asyncio.sleep(1)
    assert sorted(call.reference for call in stand.sink.calls) == ["a", "b", "b", "c"]


@in_world()
async def test_payments_of_one_reference_are_one_order(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("duplicate", order=2)
    for reference in ("a", "a", "b", "c"):
        await stand.pay(reference)
    await asyncio.sleep(1)
    assert sorted(call.reference for call in stand.sink.calls) == ["a", "a", "b", "b", "c"]


@in_world(retry_schedule="1s,1s,1s,1s")
async def test_a_fault_fires_as_often_as_it_says(stand):
    await stand.add_endpoint(**PROCESSING)
    fault = await stand.install("drop", times=3)
    for number in range(5):
        await pay_and_wait(stand, 60, reference=f"order-{number}")
    assert await stand.fired() == {"drop": 3}
    [shown] = (await stand.get("/_control/faults"))["data"]
    assert (shown["id"], shown["fired"], shown["times"]) == (fault, 3, 3)
    assert len(stand.sink.calls) == 5


@in_world()
async def test_a_lifted_fault_fires_no_more_and_the_others_do(stand):
    await stand.add_endpoint(**PROCESSING)
    lifted = await stand.install("drop")
    await stand.install("duplicate")
    assert await stand.lift(lifted) == 1
    await pay_and_wait(stand)
    assert len(stand.sink.calls) == 2
    assert await stand.fired() == {"duplicate": 1}
    assert (await stand.call("DELETE", f"/_control/faults/{lifted}")).status == 404


@in_world()
async def test_faults_of_several_kinds_act_together(stand):
    endpoint = await stand.add_endpoint(**PROCESSING)
    await stand.install("delay", by="1m")
    await stand.install("duplicate")
    await stand.install("corrupt_signature")
    await pay_and_wait(stand, 59)
    assert stand.sink.calls == []
    await asyncio.sleep(2)
    first, second = stand.sink.calls
    for call in (first, second):
        assert not is_signed(call, endpoint)
    assert await stand.fired() == {"delay": 1, "duplicate": 1, "corrupt_signature": 1}


@in_world(time_scale=60)
async def test_a_time_scale_makes_delays_and_lost_attempts_shorter(stand):
    await stand.add_endpoint(**PROCESSING)
    await stand.install("drop", attempt=1)
    await stand.install("delay", attempt=2, by="1m")
    await pay_and_wait(stand, 0.25 + 0.2 + 1)
    assert len(stand.sink.calls) == 1
