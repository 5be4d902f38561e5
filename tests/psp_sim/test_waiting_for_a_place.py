"""A webhook that had to wait for its turn leaves as its endpoint is by then."""

import asyncio

from scenarios.world.latency import LatencyProfile
from tests.psp_sim.signatures import signers_of
from tests.psp_sim.stand import Reply, in_world

SLOW_DISK = LatencyProfile(low_s=0.1, high_s=0.1)


async def wait_behind_a_copy(stand):
    """Have a plain webhook find its place taken; return the endpoint and the call ahead of it.

    Another's late copy leaves just while the claim of the plain one is being stored.
    """
    endpoint = await stand.add_endpoint(events=["payment.processing"])
    stand.sink.script = [Reply(200, delay_s=0.5)]
    stand.sink.reply = Reply(200, delay_s=5)
    await stand.pay("crowd", metadata={"sim": "duplicate(copies=2,spacing=1s)"})
    await asyncio.sleep(0.85)
    await stand.pay("plain")
    await asyncio.sleep(0.5)
    [_, copy] = stand.sink.calls
    states = [delivery["state"] for delivery in await stand.deliveries(endpoint)]
    assert (copy.reference, copy.ended_at, states) == ("crowd", None, ["sending", "sending"])
    return endpoint, copy


@in_world(disk=SLOW_DISK, delivery_concurrency=1, settle_after="1h")
async def test_what_waited_while_its_endpoint_was_deleted_is_not_sent(stand):
    endpoint, copy = await wait_behind_a_copy(stand)
    await stand.call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    assert copy.ended_at is None
    await asyncio.sleep(600)
    assert len(stand.sink.calls) == 2


@in_world(disk=SLOW_DISK, delivery_concurrency=1, settle_after="1h")
async def test_what_waited_while_a_secret_ended_is_signed_with_the_new_one(stand):
    endpoint, copy = await wait_behind_a_copy(stand)
    path = f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret"
    new = (await stand.call("POST", path, {"overlap_s": 0})).json["secret"]
    assert copy.ended_at is None
    await asyncio.sleep(600)
    [_, _, plain] = stand.sink.calls
    assert plain.reference == "plain"
    assert signers_of(plain.headers, plain.body, endpoint["secret"], new) == [new]
