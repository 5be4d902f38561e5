"""The provider's process dies at every commit in turn: nothing is lost, nothing is made twice."""

import asyncio

import httpx
import pytest

from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world, payment_body, play

ORDERS = ("a", "b")
RETRY = {"retry_schedule": "10s,10s,10s"}


async def create_until_answered(stand, reference):
    """Retry with the same key, as a correct client does."""
    for _ in range(20):
        try:
            answer = await stand.create(payment_body(reference), f"key-{reference}", timeout_s=2)
        except httpx.HTTPError:
            await asyncio.sleep(1)
            continue
        if answer.status == 201:
            return answer.json
        await asyncio.sleep(1)
    raise AssertionError(f"{reference} was never answered")


async def tell_story(stand):
    await stand.add_endpoint()
    stand.sink.script = [Reply(500)]
    return [await create_until_answered(stand, reference) for reference in ORDERS]


def commits_of_the_story():
    async def main(stand):
        before = stand.psp.crash_points.passages["commit"]
        await tell_story(stand)
        await asyncio.sleep(120)
        return before, stand.psp.crash_points.passages["commit"]

    return play(main, **RETRY)


FIRST, LAST = commits_of_the_story()


def test_the_story_has_commits_to_crash_at():
    assert LAST - FIRST > 10


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(2, LAST - FIRST + 1))
@in_world(**RETRY)
async def test_a_crash_at_any_commit_loses_no_event_and_doubles_no_payment(stand, nth, when):
    point = stand.world.crash_at("psp", "commit", nth=nth, when=when, down_s=3)
    told = await tell_story(stand)
    await asyncio.sleep(120)
    assert point.fired
    payments = await stand.get_all("/v1/payments")
    assert [payment["reference"] for payment in payments] == list(ORDERS)
    assert [payment["id"] for payment in payments] == [payment["id"] for payment in told]
    assert {payment["status"] for payment in payments} == {"succeeded"}
    events = await stand.get_all("/v1/events")
    assert sorted((e["data"]["reference"], e["sequence"]) for e in events) == [
        (reference, sequence) for reference in ORDERS for sequence in (1, 2)
    ]
    bodies = {call.id: call.body for call in stand.sink.calls}
    assert set(bodies) == {event["id"] for event in events}
    assert len({(call.id, call.body) for call in stand.sink.calls}) == 4
    [endpoint] = await stand.get_all("/v1/webhook_endpoints")
    assert {d["state"] for d in await stand.deliveries(endpoint)} == {"delivered"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("site", "path", "nth"),
    [("request", "/hooks", nth) for nth in range(1, 6)]
    + [("response", "/v1/payments", nth) for nth in (1, 2)],
)
@in_world(**RETRY)
async def test_a_crash_around_any_message_loses_no_event(stand, site, path, nth, when):
    point = stand.world.crash_at("psp", site, nth=nth, when=when, down_s=3, path=path)
    await tell_story(stand)
    await asyncio.sleep(120)
    assert point.fired
    assert len({call.id for call in stand.sink.calls}) == 4


@in_world(**RETRY)
async def test_an_attempt_that_a_crash_cut_off_is_made_again_at_once(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=10)]
    await stand.pay()
    await asyncio.sleep(1)
    stand.world.crash("psp", down_s=3)
    await asyncio.sleep(4)
    first, again = stand.sink.calls
    assert again.id == first.id
    assert again.at - first.at < 5


@in_world(**RETRY)
async def test_an_orderly_stop_loses_nothing_either(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=10)]
    await stand.pay()
    await asyncio.sleep(1)
    await stand.world.restart("psp")
    await asyncio.sleep(1)
    assert len(stand.sink.calls) == 2


@in_world(retry_schedule="10s,10s,10s")
async def test_a_retry_that_was_planned_comes_when_it_was_planned_for(stand):
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(500)]
    await stand.pay()
    await asyncio.sleep(1)
    stand.world.crash("psp", down_s=3)
    await asyncio.sleep(20)
    first, second = stand.sink.calls
    assert 8.9 < second.at - first.at < 11.1


@in_world()
async def test_a_settlement_that_fell_into_the_crash_is_made_up_for(stand):
    await stand.add_endpoint()
    await stand.pay()
    await asyncio.sleep(1)
    stand.world.crash("psp", down_s=3600)
    await asyncio.sleep(3601)
    assert stand.sink.types == ["processing", "succeeded"]


@in_world()
async def test_what_was_due_first_is_made_up_for_first(stand):
    for reference, by in (("late", "20s"), ("later", "30s"), ("early", "10s")):
        await stand.pay(reference, metadata={"sim": f"settle_after(by={by})"})
    stand.world.crash("psp", down_s=3600)
    await asyncio.sleep(3601)
    events = await stand.get_all("/v1/events?type=payment.succeeded")
    assert [event["data"]["reference"] for event in events] == ["early", "late", "later"]


@in_world(**RETRY)
async def test_faults_and_their_counts_outlive_a_crash(stand):
    await stand.add_endpoint(events=["payment.processing"])
    fault = await stand.install("drop", attempt=1)
    lifted = await stand.install("duplicate", times=5)
    await stand.install("error", operation="read_event")
    await stand.pay("a", metadata={"sim": "corrupt_signature(attempt=2)"})
    await stand.call("GET", "/v1/events/evt_1")
    await asyncio.sleep(60)
    await stand.lift(lifted)
    listed = await stand.get("/_control/faults")
    assert listed["fired"] == {"drop": 1, "duplicate": 2, "corrupt_signature": 1, "error": 1}
    stand.world.crash("psp", down_s=1)
    await asyncio.sleep(2)
    assert await stand.get("/_control/faults") == listed
    assert (await stand.call("GET", "/v1/events/evt_1")).status == 503
    await stand.pay("b")
    await asyncio.sleep(60)
    shown = {entry["id"]: entry["fired"] for entry in (await stand.get("/_control/faults"))["data"]}
    assert shown[fault] == 2


@in_world(settle_after="1h")
async def test_a_fault_on_a_payment_is_counted_with_the_payment(stand):
    await stand.install("decline")
    await stand.pay()
    stand.world.crash("psp", down_s=1)
    await asyncio.sleep(2)
    assert await stand.fired() == {"decline": 1}


@in_world(**RETRY)
async def test_an_outage_is_counted_for_good_too(stand):
    await stand.install("outage", **{"for": "10s"})
    with pytest.raises(httpx.RemoteProtocolError):
        await stand.create(payment_body())
    stand.world.crash("psp", down_s=1)
    await asyncio.sleep(10)
    assert await stand.fired() == {"outage": 1}


@in_world(attempt_timeout="15s", **RETRY)
async def test_a_fault_that_fires_once_fires_once_in_spite_of_a_crash(stand):
    """What it did was seen, so that a second time would be once too often."""
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    await stand.install("corrupt_signature", times=1)
    stand.sink.script = [Reply(401, delay_s=5)]
    await stand.pay()
    await asyncio.sleep(1)
    stand.world.crash("psp", down_s=1)
    await asyncio.sleep(60)
    assert await stand.fired() == {"corrupt_signature": 1}
    signers = [signers_of(c.headers, c.body, endpoint["secret"]) for c in stand.sink.calls]
    assert signers == [[None], [endpoint["secret"]]]


CONFIGURED = ({"kind": "drop", "attempt": 1}, {"kind": "decline", "order": 1})


@in_world(faults=CONFIGURED, retry_schedule="1m")
async def test_configured_faults_are_in_force_from_the_start(stand):
    await stand.add_endpoint()
    payment = await stand.pay()
    await asyncio.sleep(50)
    assert stand.sink.calls == []
    assert (await stand.get(f"/v1/payments/{payment['id']}"))["status"] == "failed"
    assert await stand.fired() == {"drop": 2, "decline": 1}
    await stand.world.restart("psp")
    listed = (await stand.get("/_control/faults"))["data"]
    assert [(entry["kind"], entry["fired"]) for entry in listed] == [("drop", 2), ("decline", 1)]


@in_world(faults=CONFIGURED)
async def test_a_changed_configuration_takes_effect_at_the_next_start(stand):
    installed = await stand.install("delay")
    changed = ({"kind": "drop", "attempt": 2},)
    object.__setattr__(stand.settings, "faults", changed)
    await stand.world.restart("psp")
    listed = (await stand.get("/_control/faults"))["data"]
    assert {entry["id"]: (entry["kind"], entry.get("attempt")) for entry in listed} == {
        installed: ("delay", None),
        "flt_configured_1": ("drop", 2),
    }


@in_world(**RETRY)
async def test_a_worker_that_breaks_starts_again_and_takes_up_what_it_left(stand):
    """As when the disk is full for a while: the calls under way are lost, the deliveries not."""
    await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=10)]
    await stand.pay("a")
    await asyncio.sleep(1)
    database = stand.psp.disk.connection
    database.execute("ALTER TABLE deliveries RENAME TO away")
    reports = []
    loop = stand.world.loop
    loop.call_exception_handler = reports.append
    await stand.call("DELETE", "/_control/faults")
    await asyncio.sleep(0.5)
    database.execute("ALTER TABLE away RENAME TO deliveries")
    await asyncio.sleep(60)
    assert [report["message"] for report in reports] == ["deliver_events broke"]
    assert [call.reference for call in stand.sink.calls] == ["a", "a"]
    [endpoint] = await stand.get_all("/v1/webhook_endpoints")
    assert [d["state"] for d in await stand.deliveries(endpoint)] == ["delivered"]
