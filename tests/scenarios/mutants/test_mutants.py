"""Each broken shop shows its bug from outside, where the correct shop does not.

Every test runs twice, and asks of the correct shop the opposite.
"""

import asyncio
import json
from dataclasses import fields, replace

import pytest

from scenarios.mutants import MUTANTS
from shop.parts import Parts
from sqlport import open_database
from tests.shop.fakes import (
    NEXT_SECRET,
    QUICK,
    SECRET,
    FakeWorld,
    for_a_while,
    running_shop,
    signed_headers,
    until,
)

RECONCILING = replace(QUICK, tracking="webhooks+reconciliation")


def both(name):
    """The mutant, which has to show the bug, and the correct shop, which has not."""
    return pytest.mark.parametrize(
        ("parts", "broken"), [(MUTANTS[name].parts, True), (Parts(), False)], ids=[name, "correct"]
    )


def test_the_registry_is_ordered_by_bug_and_each_mutant_replaces_exactly_one_part():
    bugs = [mutant.bug for mutant in MUTANTS.values()]
    assert bugs == sorted(bugs)
    assert len(set(bugs)) >= 41
    for name, mutant in MUTANTS.items():
        assert mutant.name == name
        changed = [
            one.name
            for one in fields(Parts)
            if getattr(mutant.parts, one.name) is not getattr(Parts(), one.name)
        ]
        assert len(changed) == 1, (name, changed)


# The fake provider tells of two events per payment in one second, writes JSON with spaces, and
# dates all of its events 2026.
BROKEN_EVEN_SO = (
    "dedupe_by_payment",
    "endpoint_redirects",
    "events_from_the_future_ignored",
    "verifies_reserialised_json",
    "watermark_in_seconds",
)


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in BROKEN_EVEN_SO])
async def test_without_faults_a_broken_shop_looks_fine(name):
    async with running_shop(parts=MUTANTS[name].parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        for status in ("processing", "succeeded"):
            answer = await shop.deliver(shop.world.event(payment_id, status))
            assert answer.status_code == 200
            await asyncio.sleep(0.01)
        order = await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        shipped = {one["fulfilment"] for one in shop.world.shipments}
        assert len(shipped) == len(order["fulfilments"]) == 1
        assert (await shop.http.get("/ledger")).json()["balances"] == {
            "provider": {"EUR": 1250},
            "sales": {"EUR": -1250},
        }


@both("no_dedupe")
async def test_a_repeated_delivery_ships_twice(parts, broken):
    async with running_shop(parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        for _ in range(2):
            assert (await shop.deliver(event)).status_code == 200
            await shop.until_status(order_id, "fulfilled")
            await for_a_while()
        assert (len({one["fulfilment"] for one in shop.world.shipments}) > 1) is broken
        booked = (await shop.http.get("/ledger")).json()["balances"]["provider"]["EUR"]
        assert booked == (2500 if broken else 1250)


@both("check_then_act_dedupe")
async def test_two_deliveries_at_once_ship_twice(parts, broken):
    world = FakeWorld()
    world.warehouse_takes_s = 0.01
    async with running_shop(world, parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = world.event(payment_id, "succeeded")
        answers = await asyncio.gather(shop.deliver(event), shop.deliver(event))
        assert [answer.status_code for answer in answers] == [200, 200]
        await shop.until_status(order_id, "fulfilled")
        assert (await shop.deliver(event)).status_code == 200
        await for_a_while()
        assert len({one["fulfilment"] for one in world.shipments}) == (2 if broken else 1)


@both("dedupe_in_memory")
async def test_a_restart_between_two_deliveries_ships_twice(parts, broken):
    world, database = FakeWorld(), await open_database("sqlite:///:memory:")
    async with running_shop(world, database=database, parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = world.event(payment_id, "succeeded")
        for _ in range(2):
            await shop.deliver(event)
        await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        assert len(world.shipments) == 1
    async with running_shop(world, database=database, parts=parts, seed=2) as shop:
        await for_a_while()
        await shop.deliver(event)
        await for_a_while()
    await database.close()
    assert (len({one["fulfilment"] for one in world.shipments}) > 1) is broken


@both("dedupe_by_payment")
async def test_the_first_event_swallows_the_second(parts, broken):
    async with running_shop(parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        for status in ("processing", "succeeded"):
            answer = await shop.deliver(shop.world.event(payment_id, status))
            assert answer.status_code == 200
        await for_a_while()
        assert ((await shop.order(order_id))["status"] == "pending") is broken


@both("event_id_only_dedupe")
async def test_one_fact_under_two_event_ids_ships_twice(parts, broken):
    async with running_shop(parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        for event_id in ("evt_1", "evt_1", "evt_2"):
            await shop.deliver(shop.world.event(payment_id, "succeeded", event_id))
        await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        shipped = {one["fulfilment"] for one in shop.world.shipments}
        assert len(shipped) == (2 if broken else 1)


@both("marked_before_effect")
async def test_a_failure_after_the_mark_loses_the_effect(parts, broken):
    world = FakeWorld()
    async with running_shop(world, parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.down = True
        for _ in range(2):
            await shop.deliver(world.event(payment_id, "succeeded"))
            await for_a_while()
        world.down = False
        await for_a_while()
        assert ((await shop.order(order_id))["status"] == "pending") is broken


@both("acknowledge_before_storing")
async def test_an_end_right_after_the_200_loses_the_event(parts, broken):
    world, database = FakeWorld(), await open_database("sqlite:///:memory:")
    async with running_shop(world, database=database, parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.down = True
        answer = await shop.deliver(world.event(payment_id, "succeeded"))
        assert answer.status_code == 200
    world.down = False
    async with running_shop(world, database=database, parts=parts, seed=2) as shop:
        await for_a_while()
        assert ((await shop.order(order_id))["status"] == "pending") is broken
    await database.close()


@both("out_of_order_overwrite")
async def test_a_late_older_event_takes_a_paid_order_back(parts, broken):
    async with running_shop(parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(shop.world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")
        await shop.deliver(shop.world.event(payment_id, "processing"))
        await for_a_while()
        assert ((await shop.order(order_id))["status"] == "pending") is broken


@both("no_signature_check")
async def test_a_forgery_is_accepted(parts, broken):
    async with running_shop(parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        unsigned = await shop.http.post("/webhooks/psp", content=json.dumps(event))
        forged = await shop.deliver(event | {"id": "evt_forged"}, secret=NEXT_SECRET)
        await for_a_while()
        assert (forged.status_code, unsigned.status_code) == ((200, 200) if broken else (401, 400))
        assert ((await shop.order(order_id))["status"] == "fulfilled") is broken


@pytest.mark.parametrize(
    ("name", "off_by_s", "status"),
    [
        ("no_time_window", -86400, 200),
        ("no_time_window", 86400, 200),
        ("past_only_time_window", -86400, 401),
        ("past_only_time_window", 86400, 200),
        (None, -86400, 401),
        (None, 86400, 401),
    ],
)
async def test_a_well_signed_call_from_another_time(name, off_by_s, status):
    parts = MUTANTS[name].parts if name else Parts()
    async with running_shop(parts=parts) as shop:
        body = b'{"type": "ping"}'
        headers = signed_headers("evt_1", body, shop.clock.now() + off_by_s, SECRET)
        answer = await shop.http.post("/webhooks/psp", content=body, headers=headers)
        assert answer.status_code == status
        forged = headers | {"webhook-signature": "v1,AAAA"}
        answer = await shop.http.post("/webhooks/psp", content=body, headers=forged)
        assert answer.status_code == 401


@both("newest_secret_only")
async def test_a_signature_by_the_previous_secret_is_refused(parts, broken):
    async with running_shop(parts=parts) as shop:
        assert (await shop.http.post("/_admin/rotate_webhook_secret")).status_code == 200
        on_its_way = await shop.deliver({"id": "evt_1", "type": "ping"}, secret=SECRET)
        assert on_its_way.status_code == (401 if broken else 200)
        new = await shop.deliver({"id": "evt_2", "type": "ping"}, secret=NEXT_SECRET)
        assert new.status_code == 200


@both("two_secrets_only")
async def test_a_signature_by_the_last_secret_but_one_is_refused(parts, broken):
    async with running_shop(parts=parts) as shop:
        for _ in range(2):
            assert (await shop.http.post("/_admin/rotate_webhook_secret")).status_code == 200
        on_its_way = await shop.deliver({"id": "evt_1", "type": "ping"}, secret=SECRET)
        assert on_its_way.status_code == (401 if broken else 200)
        newer = await shop.deliver({"id": "evt_2", "type": "ping"}, secret=NEXT_SECRET)
        assert newer.status_code == 200


@both("new_key_per_retry")
async def test_a_lost_answer_charges_twice(parts, broken):
    world = FakeWorld()
    world.script = ["lose_response"]
    async with running_shop(world, parts=parts) as shop:
        order_id, _ = await shop.place_requested_order()
        references = [payment["reference"] for payment in world.payments.values()]
        assert references == [order_id] * (2 if broken else 1)


@both("timeout_is_failure")
@pytest.mark.parametrize("trouble", ["lose_request", "lose_response", (503, {}), (409, {})])
async def test_no_answer_fails_the_order_for_good(parts, broken, trouble):
    world = FakeWorld()
    world.script = [trouble]
    async with running_shop(world, parts=parts, settings=RECONCILING) as shop:
        order_id = (await shop.place_order())["id"]
        await until(lambda: len(world.calls("POST", "/v1/payments")) == (1 if broken else 2))
        await for_a_while()
        if world.payments:
            await shop.deliver(world.event("pay_1", "succeeded"))
            await for_a_while()
        order = await shop.order(order_id)
        assert order["status"] == ("failed" if broken else "fulfilled")


@both("no_reconciliation")
async def test_a_lost_webhook_leaves_the_order_pending(parts, broken):
    async with running_shop(parts=parts, settings=RECONCILING) as shop:
        order_id, payment_id = await shop.place_requested_order()
        shop.world.event(payment_id, "succeeded")
        await for_a_while()
        await for_a_while()
        assert ((await shop.order(order_id))["status"] == "pending") is broken
