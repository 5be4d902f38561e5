"""What the webhook address answers before it looks inside, and what it does not wait for."""

import asyncio
import json
from dataclasses import replace

import pytest

from shop.parts import Parts
from shop.process_inbox import process_event
from sqlport import open_database
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import QUICK, StoppedClock, running_shop


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/cloudevents+json", 200),
        (None, 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/x+json", 415),
    ],
)
async def test_only_json_is_taken(content_type, status):
    async with running_shop(FakeProvider()) as shop:
        answer = await shop.deliver({"id": "evt_1", "type": "ping"}, content_type=content_type)
        assert answer.status_code == status
        if status == 415:
            assert answer.json()["code"] == "not_json"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_405_and_says_which_is_right(method):
    async with running_shop(FakeProvider()) as shop:
        answer = await shop.http.request(method, "/webhooks/psp")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_above_the_rate_the_provider_is_told_when_to_come_again():
    settings = replace(QUICK, webhooks_per_second=2.0)
    async with running_shop(FakeProvider(), settings=settings, clock=StoppedClock()) as shop:
        answers = [await shop.deliver({"id": f"evt_{n}", "type": "ping"}) for n in range(6)]
        assert [one.status_code for one in answers[:4]] == [200] * 4
        assert [one.status_code for one in answers[4:]] == [429] * 2
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].json()["definite"] is False
        shop.clock.ahead_s += 1
        assert (await shop.deliver({"id": "evt_5", "type": "ping"})).status_code == 200


async def test_other_routes_have_no_such_limit():
    settings = replace(QUICK, webhooks_per_second=1.0)
    async with running_shop(FakeProvider(), settings=settings) as shop:
        answers = [await shop.http.get("/products") for _ in range(20)]
        assert {one.status_code for one in answers} == {200}


async def test_the_answer_does_not_wait_for_processing(database_url):
    """Not for that of the event, not for that of earlier ones: here nothing is ever processed."""
    stuck, goes_on = asyncio.Event(), asyncio.Event()

    async def never_ends(shop, row):
        stuck.set()
        await goes_on.wait()
        await process_event(shop, row)

    world, database = FakeProvider(), await open_database(database_url)
    parts = Parts(process_event=never_ends)
    async with running_shop(world, database=database, parts=parts) as shop:
        orders = [await shop.place_requested_order() for _ in range(20)]
        for _, payment_id in orders:
            assert (await shop.deliver(world.settle(payment_id))).status_code == 200
            await stuck.wait()
        assert {(await shop.order(order_id))["status"] for order_id, _ in orders} == {"pending"}
        goes_on.set()
        for order_id, _ in orders:
            await shop.until_status(order_id, "fulfilled")
    await database.close()


async def test_the_answer_does_not_wait_for_the_warehouse():
    world = FakeProvider()
    world.warehouse_takes_s = 1000.0
    async with running_shop(world, settings=replace(QUICK, warehouse_timeout_s=1000.0)) as shop:
        for _ in range(20):
            order_id, payment_id = await shop.place_requested_order()
            assert (await shop.deliver(world.settle(payment_id))).status_code == 200
            await shop.until_status(order_id, "paid")
        assert world.shipments == []


async def test_nothing_is_done_before_the_answer_but_to_check_and_store():
    world = FakeProvider()
    async with running_shop(world) as shop:
        _, payment_id = await shop.place_requested_order()
        requests = len(world.requests)
        body = json.dumps(world.settle(payment_id)).encode()
        assert (await shop.deliver(body)).status_code == 200
        assert len(world.requests) == requests
