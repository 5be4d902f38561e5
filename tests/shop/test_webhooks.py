"""From a webhook to a fulfilled order, and everything that must be refused on the way."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from shop import store
from sqlport import open_database
from tests.shop.fakes import (
    QUICK,
    SECRET,
    FakeClock,
    FakeWorld,
    fresh_database,
    running_shop,
    signed_headers,
)

pytestmark = pytest.mark.usefixtures("on_each_engine")


async def test_a_success_pays_books_and_ships_once():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        answer = await shop.deliver(shop.world.event(payment_id, "succeeded"))
        assert answer.status_code == 200
        order = await shop.until_status(order_id, "fulfilled")
        assert [one["status"] for one in order["fulfilments"]] == ["delivered"]
        assert shop.world.shipments == [
            {
                "order": order_id,
                "fulfilment": order["fulfilments"][0]["id"],
                "items": [{"sku": "mug", "quantity": 1}],
            }
        ]
        assert (await shop.http.get("/ledger")).json() == {
            "balances": {"provider": {"EUR": 1250}, "sales": {"EUR": -1250}},
            "entries": 1,
        }


async def test_an_event_that_a_wrong_clock_put_off_is_acted_on_when_it_is_told_again():
    """A clock that was ahead stored it, and the power went before it was acknowledged."""
    world, database = FakeWorld(), await fresh_database()
    async with running_shop(world, database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
    event, an_hour_ahead = world.event(payment_id, "succeeded"), FakeClock().now() + 3600
    async with database.transaction() as transaction:
        await store.insert_event(transaction, event["id"], json.dumps(event), an_hour_ahead)
    async with running_shop(world, database=database) as shop:
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_status(order_id, "fulfilled")


async def test_an_event_told_again_that_waits_after_a_failure_goes_on_waiting():
    database = await fresh_database()
    async with running_shop(database=database) as shop:
        _, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        in_an_hour = shop.clock.now() + 3600
        async with database.transaction() as transaction:
            await store.insert_event(transaction, event["id"], json.dumps(event), in_an_hour)
            await store.postpone_event(transaction, event["id"], 1, in_an_hour, "no luck")
        assert (await shop.deliver(event)).status_code == 200
        async with database.transaction() as transaction:
            row = await transaction.fetch_one("SELECT due_at, status FROM inbox")
        assert (row["due_at"], row["status"]) == (in_an_hour, "pending")


async def inbox_of(database):
    async with database.transaction() as transaction:
        rows = await transaction.fetch_all("SELECT event_id, status, reason FROM inbox")
    return {row["event_id"]: (row["status"], row["reason"]) for row in rows}


async def test_repeats_of_an_event_and_of_a_fact_change_nothing():
    database = await fresh_database()
    async with running_shop(database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        for event_id in ("evt_1", "evt_1", "evt_2"):
            event = shop.world.event(payment_id, "succeeded", event_id)
            assert (await shop.deliver(event)).status_code == 200
            await shop.until_status(order_id, "fulfilled")
        await shop.until_worked_off()
        assert len(shop.world.shipments) == 1
        assert (await shop.http.get("/ledger")).json()["entries"] == 1
        assert await inbox_of(database) == {"evt_1": ("done", None), "evt_2": ("done", None)}
    await database.close()


async def test_copies_at_the_same_moment_change_nothing():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        answers = await asyncio.gather(*(shop.deliver(event) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        await shop.until_status(order_id, "fulfilled")
        await shop.until_worked_off()
        assert len(shop.world.shipments) == 1


async def test_late_older_news_does_not_take_a_paid_order_back():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(shop.world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")
        for status in ("processing", "failed"):
            await shop.deliver(shop.world.event(payment_id, status))
        await shop.until_worked_off()
        assert (await shop.order(order_id))["status"] == "fulfilled"


async def test_a_failed_payment_fails_the_order():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        failure = {"code": "declined", "message": "card declined"}
        await shop.deliver(shop.world.event(payment_id, "failed", failure=failure))
        order = await shop.until_status(order_id, "failed")
        assert order["failure"] == "card declined"
        assert shop.world.shipments == []


@pytest.mark.parametrize(
    "changes", [{"amount": 1}, {"currency": "USD"}, {"reference": "ord_nobody"}], ids=str
)
async def test_a_genuine_event_about_something_else_pays_nothing(changes):
    database = await fresh_database()
    async with running_shop(database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded", "evt_1", **changes)
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_worked_off()
        assert (await shop.order(order_id))["status"] == "pending"
        assert shop.world.shipments == []
        assert (await inbox_of(database))["evt_1"][0] == "dead"
    await database.close()


async def test_unknown_types_and_fields_are_accepted_and_ignored():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded", "evt_new")
        for changed in (
            event | {"id": "evt_a", "type": "payment.teleported"},
            {"id": "evt_b", "type": "dispute.opened", "data": [1, 2]},
            {"id": "evt_c", "type": "something.else"},
        ):
            assert (await shop.deliver(changed)).status_code == 200
        await shop.until_worked_off()
        assert (await shop.order(order_id))["status"] == "pending"
        assert (await shop.deliver(event | {"brand": "new"})).status_code == 200
        await shop.until_status(order_id, "fulfilled")


async def test_whitespace_and_letters_of_the_world_do_not_break_the_signature():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded", note="Zoë – €5")
        body = json.dumps(event, indent=4, ensure_ascii=False).encode()
        assert (await shop.deliver(body)).status_code == 200
        await shop.until_status(order_id, "fulfilled")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"webhook_signature": None}, 400),
        ({"webhook_id": None}, 400),
        ({"webhook_timestamp": None}, 400),
        ({"webhook_timestamp": "soon"}, 400),
        ({"webhook_timestamp": "9" * 400}, 400),
        ({"webhook_id": "a.b"}, 400),
        ({"webhook_signature": ""}, 400),
        ({"webhook_signature": "v1"}, 401),
        ({"webhook_signature": "v1,%%%"}, 401),
        ({"webhook_signature": "v1a,AAAA"}, 401),
        ({"webhook_signature": "v1,é".encode("latin-1")}, 401),
        ({"webhook_signature": b"v1,\xff\xfe"}, 401),
        ({"webhook_timestamp": "1000"}, 401),
        ({"webhook_timestamp": "99999999999"}, 401),
    ],
    ids=str,
)
async def test_a_malformed_or_wrong_header_is_refused_and_never_a_500(headers, status):
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        answer = await shop.deliver(shop.world.event(payment_id, "succeeded"), **headers)
        assert answer.status_code == status
        assert answer.json()["status"] == status
        await shop.until_worked_off()
        assert (await shop.order(order_id))["status"] == "pending"


async def test_a_forged_or_changed_webhook_is_refused_and_changes_nothing():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        forged = await shop.deliver(event, secret="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
        body = json.dumps(event).encode()
        headers = signed_headers(event["id"], body, shop.clock.now(), SECRET)
        changed = await shop.http.post(
            "/webhooks/psp", content=body.replace(b"1250", b"1251"), headers=headers
        )
        assert (forged.status_code, changed.status_code) == (401, 401)
        await shop.until_worked_off()
        assert (await shop.order(order_id))["status"] == "pending"


@pytest.mark.parametrize("off_by_s", [-305, 305])
async def test_a_well_signed_webhook_outside_the_window_is_refused(off_by_s):
    async with running_shop() as shop:
        _, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        body = json.dumps(event).encode()
        headers = signed_headers(event["id"], body, shop.clock.now() + off_by_s, SECRET)
        answer = await shop.http.post("/webhooks/psp", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "outside_time_window")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 50000], ids=repr)
async def test_a_signed_body_that_is_no_json_object_is_400(body):
    async with running_shop() as shop:
        assert (await shop.deliver(body)).status_code == 400


async def test_a_body_that_is_not_text_is_refused():
    async with running_shop() as shop:
        answer = await shop.http.post(
            "/webhooks/psp",
            content=b"\xff\xfe",
            headers={
                "webhook-id": "evt_1",
                "webhook-timestamp": str(int(shop.clock.now())),
                "webhook-signature": "v1,AAAA",
            },
        )
        assert answer.status_code == 401


async def test_an_oversized_body_is_413():
    async with running_shop() as shop:
        answer = await shop.http.post("/webhooks/psp", content=b" " * 1_048_577)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_never_ends_is_408():
    async def drip():
        yield b"{"
        await asyncio.sleep(10)

    async with running_shop(settings=replace(QUICK, body_timeout_s=0.02)) as shop:
        answer = await shop.http.post("/webhooks/psp", content=drip())
        assert answer.status_code == 408


async def test_before_the_secret_is_known_the_provider_is_put_off():
    world = FakeWorld()
    world.down = True
    async with running_shop(world, wait_for_secret=False) as shop:
        answer = await shop.deliver({"id": "evt_1", "type": "x"})
        assert (answer.status_code, answer.json()["definite"]) == (503, False)
        world.down = False
        await shop.until_accepted({"id": "evt_1", "type": "x"})


def _left_by_a_crash(url):
    """The database as a crash would leave it now; on SQLite the shop has its file for itself."""
    if not url.startswith("sqlite:///"):
        return url
    path = Path(url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, file.with_name(f"left_{file.name}"))
    return f"sqlite:///{path.with_name(f'left_{path.name}')}"


async def test_the_event_is_durable_before_it_is_acknowledged(database_url):
    world = FakeWorld()
    database = await open_database(database_url)
    async with running_shop(world, database=database) as shop:
        _, payment_id = await shop.place_requested_order()
        answer = await shop.deliver(world.event(payment_id, "succeeded"))
        assert answer.status_code == 200
        left = await open_database(_left_by_a_crash(database_url))
        async with left.transaction() as transaction:
            rows = await transaction.fetch_all("SELECT event_id FROM inbox")
        await left.close()
        assert [row["event_id"] for row in rows] == [f"evt_{payment_id}_succeeded"]
    await database.close()


async def test_a_poison_event_is_set_aside_and_does_not_hold_up_others():
    world = FakeWorld()
    database = await fresh_database()
    async with running_shop(world, database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        poison = {"id": "evt_0", "type": "payment.succeeded", "data": {"id": 7}}
        assert (await shop.deliver(poison)).status_code == 200
        await shop.deliver(world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")
        await shop.until_worked_off()
        async with database.transaction() as transaction:
            row = await transaction.fetch_one("SELECT * FROM inbox WHERE event_id = 'evt_0'")
        assert (row["status"], row["attempts"]) == ("dead", QUICK.inbox_attempts_max)
        assert "Expected `str`, got `int`" in row["reason"]
    await database.close()


async def test_a_webhook_about_a_reference_that_no_database_can_be_asked_for_is_set_aside_at_once():
    database = await fresh_database()
    async with running_shop(database=database) as shop:
        _, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded", "evt_0", reference="\0")
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_worked_off()
        assert await inbox_of(database) == {"evt_0": ("dead", "no order '\\x00'")}
    await database.close()


async def test_a_shop_that_polls_takes_no_webhooks():
    async with running_shop(settings=replace(QUICK, tracking="polling")) as shop:
        assert (await shop.http.post("/webhooks/psp")).status_code == 404
        assert shop.world.calls("POST", "/v1/webhook_endpoints") == []
