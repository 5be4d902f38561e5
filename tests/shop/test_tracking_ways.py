"""Every way of tracking learns outcomes and corrections, and says what that cost."""

from dataclasses import replace
from itertools import pairwise

import pytest

from shop import event_store
from shop.parts import Parts
from shop.tracking.polling_backoff import delay_after_check_s
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import (
    QUICK,
    after_every_lease,
    for_a_while,
    fresh_database,
    running_shop,
    until,
)

WAYS = ["polling", "polling+backoff", "long-polling", "event-stream", "webhooks+reconciliation"]


def settings_for(tracking, **changes):
    return replace(
        QUICK,
        tracking=tracking,
        polling_first_delay_s=0.01,
        polling_delay_cap_s=0.02,
        reconcile_interval_cap_s=0.04,
        **{"long_polling_wait_s": 0.05, **changes},
    )


async def tracking_of(shop):
    return (await shop.http.get("/tracking")).json()


async def books_of(shop):
    return (await shop.http.get("/ledger")).json()["balances"]


@pytest.mark.usefixtures("on_each_engine")
@pytest.mark.parametrize("tracking", WAYS)
async def test_outcome_refund_and_dispute_are_learnt_without_a_single_webhook(tracking):
    world = FakeProvider()
    async with running_shop(world, settings=settings_for(tracking)) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")
        world.happen(
            payment_id, "dispute.opened", disputes=[{"id": "d", "amount": 250, "status": "opened"}]
        )
        await shop.until_status(order_id, "disputed")
        assert (await books_of(shop))["provider"] == {"EUR": 1000}
        world.happen(
            payment_id, "dispute.won", disputes=[{"id": "d", "amount": 250, "status": "won"}]
        )
        await shop.until_status(order_id, "fulfilled")
        assert len(world.shipments) == 1
        measured = await tracking_of(shop)
    assert measured["tracking"] == tracking
    assert measured["requests"] > 0
    assert measured["staleness_seconds"]["payment.succeeded"]["count"] == 1


@pytest.mark.parametrize("tracking", ["polling", "polling+backoff", "webhooks+reconciliation"])
async def test_a_question_that_brings_nothing_is_a_304_and_counted_as_useless(tracking):
    world = FakeProvider()
    async with running_shop(world, settings=settings_for(tracking)) as shop:
        order_id, payment_id = await shop.place_requested_order()
        kind = "reconciliation" if tracking == "webhooks+reconciliation" else tracking
        found = {}

        async def is_seen():
            found.update((await tracking_of(shop))["by_kind"].get(kind, {}))
            return found.get("not_modified", 0) >= 1

        await until(is_seen)
        assert found["useless_requests"] >= found["not_modified"]
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")
    assert found["useless_requests"] <= found["requests"]


async def test_a_change_after_a_304_is_seen():
    world = FakeProvider()
    async with running_shop(world, settings=settings_for("polling")) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await until(
            lambda: any(
                "if-none-match" in call.headers
                for call in world.calls("GET", f"/v1/payments/{payment_id}")
            )
        )
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")


def test_the_delays_of_backoff_grow_by_the_factor_up_to_the_cap():
    settings = replace(
        QUICK, polling_first_delay_s=1.0, polling_factor=3.0, polling_delay_cap_s=20.0
    )
    delays = [delay_after_check_s(settings, n) for n in (1, 2, 3, 4, 10**6)]
    assert delays == [3.0, 9.0, 20.0, 20.0, 20.0]
    level = replace(settings, polling_factor=1.0)
    assert [delay_after_check_s(level, n) for n in (1, 50)] == [1.0, 1.0]


async def test_a_held_question_is_answered_by_the_change_and_asked_once_until_then():
    world = FakeProvider()
    settings = settings_for("long-polling", long_polling_wait_s=30.0, polling_interval_s=0.005)
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await until(lambda: len(world.calls("GET", f"/v1/payments/{payment_id}")) == 1)
        await for_a_while()
        assert (await tracking_of(shop))["connections_held"] == 1
        assert len(world.calls("GET", f"/v1/payments/{payment_id}")) == 1
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        assert len(world.calls("GET", f"/v1/payments/{payment_id}")) == 1
        assert (await tracking_of(shop))["connections_held"] == 0


async def test_a_provider_that_holds_nothing_is_asked_no_faster_than_by_polling():
    world = FakeProvider()
    world.holds = False
    settings = settings_for("long-polling", long_polling_wait_s=30.0, polling_interval_s=0.03)
    async with running_shop(world, settings=settings) as shop:
        _, payment_id = await shop.place_requested_order()
        await until(lambda: len(world.calls("GET", f"/v1/payments/{payment_id}")) >= 4)
    assert min(world.gaps("GET", f"/v1/payments/{payment_id}")) > 0.025


async def test_the_stream_goes_on_after_every_disconnect_without_losing_an_event():
    world = FakeProvider()
    world.cut_stream_after = 1
    async with running_shop(world, settings=settings_for("event-stream")) as shop:
        orders = [await shop.place_requested_order() for _ in range(4)]
        for _, payment_id in orders:
            world.settle(payment_id)
        for order_id, _ in orders:
            await shop.until_status(order_id, "fulfilled")
    assert world.streams[:4] == [None, "evt_1", "evt_2", "evt_3"]


@pytest.mark.usefixtures("on_each_engine")
async def test_the_stream_resumes_after_a_restart_where_it_was():
    world, database = FakeProvider(), await fresh_database()
    settings = settings_for("event-stream")
    async with running_shop(world, settings=settings, database=database) as shop:
        first, second = [await shop.place_requested_order() for _ in range(2)]
        world.settle(first[1])
        await shop.until_status(first[0], "fulfilled")
    world.settle(second[1])
    async with running_shop(
        world, settings=settings, database=database, clock=after_every_lease(), seed=2
    ) as shop:
        await shop.until_status(second[0], "fulfilled")
    await database.close()
    assert world.streams[-1] == "evt_1"
    assert len(world.shipments) == 2


async def test_a_silent_stream_is_opened_anew():
    world = FakeProvider()
    settings = settings_for("event-stream", stream_silence_s=0.01)
    async with running_shop(world, settings=settings) as shop:
        await until(lambda: len(world.streams) >= 3)
        tracking = (await tracking_of(shop))["by_kind"]["event-stream"]
        assert tracking["failed_requests"] >= 1


async def test_an_event_that_cannot_be_read_does_not_stop_the_stream():
    world = FakeProvider()
    async with running_shop(world, settings=settings_for("event-stream")) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.tell("payment.succeeded", {"id": 7})
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")


@pytest.mark.usefixtures("on_each_engine")
async def test_pages_of_the_log_are_followed_and_equal_timestamps_lose_nothing():
    world = FakeProvider(page=3)
    settings = settings_for("webhooks+reconciliation", reconcile_after_s=1000.0)
    async with running_shop(world, settings=settings) as shop:
        orders = [await shop.place_requested_order() for _ in range(10)]
        for _, payment_id in orders:
            world.settle(payment_id)
        for order_id, _ in orders:
            await shop.until_status(order_id, "fulfilled")
    assert len({event["timestamp"] for event in world.log}) == 1
    assert len(world.shipments) == 10


@pytest.mark.usefixtures("on_each_engine")
async def test_an_outage_is_caught_up_from_the_last_event_seen_even_over_a_restart():
    world, database = FakeProvider(), await fresh_database()
    settings = settings_for("webhooks+reconciliation", reconcile_after_s=1000.0)
    async with running_shop(world, settings=settings, database=database) as shop:
        first, second = [await shop.place_requested_order() for _ in range(2)]
        world.settle(first[1])
        await shop.until_status(first[0], "fulfilled")
        world.down = True
        world.settle(second[1])
        await for_a_while()
        assert (await shop.order(second[0]))["status"] == "pending"
    world.down, before = False, len(world.calls("GET", "/v1/events"))
    async with running_shop(
        world, settings=settings, database=database, clock=after_every_lease(), seed=2
    ) as shop:
        await shop.until_status(second[0], "fulfilled")
    await database.close()
    assert world.calls("GET", "/v1/events")[before].url.params["after"] == "evt_1"


@pytest.mark.usefixtures("on_each_engine")
async def test_events_about_orders_of_others_are_left_alone():
    world, database = FakeProvider(), await fresh_database()
    settings = settings_for("webhooks+reconciliation")
    async with running_shop(world, settings=settings, database=database) as shop:
        _, payment_id = await shop.place_requested_order()
        world.tell("payment.succeeded", {**world.payments[payment_id], "reference": "ord_theirs"})

        async def is_read():
            async with database.transaction() as transaction:
                return await event_store.load_cursor(transaction) == "evt_1"

        await until(is_read)
        assert (await shop.http.get("/healthz")).json()["dead_letters"] == 0
        async with database.transaction() as transaction:
            assert await transaction.fetch_all("SELECT event_id FROM inbox") == []
    await database.close()


@pytest.mark.usefixtures("on_each_engine")
@pytest.mark.parametrize("tracking", ["webhooks+reconciliation", "event-stream"])
async def test_a_reference_that_no_database_can_be_asked_for_stops_neither_log_nor_stream(tracking):
    world = FakeProvider()
    settings = settings_for(tracking, reconcile_after_s=1000.0)
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.tell("payment.succeeded", {**world.payments[payment_id], "reference": "\0"})
        world.settle(payment_id)
        order = await shop.until_status(order_id, "fulfilled")
        assert order["history"][2]["source"] in ("event-log", "event-stream")
        assert (await shop.http.get("/healthz")).json()["dead_letters"] == 0


async def test_a_log_that_breaks_the_reading_is_read_again_after_a_pause_that_grows():
    asked_at = []

    async def break_down(shop):
        asked_at.append(shop.clock.now())
        raise RuntimeError("nobody thought of this")

    parts = Parts(reconcile=replace(Parts().reconcile, read_events=break_down))
    settings = replace(settings_for("long-polling"), reconcile_interval_cap_s=1000.0)
    async with running_shop(FakeProvider(), settings=settings, parts=parts):
        await until(lambda: len(asked_at) >= 4)
    pauses = [later - earlier for earlier, later in pairwise(asked_at[:4])]
    assert all(pause > least for pause, least in zip(pauses, (0.019, 0.039, 0.079), strict=True))


@pytest.mark.usefixtures("on_each_engine")
async def test_an_event_that_a_webhook_brought_first_counts_once():
    world = FakeProvider()
    settings = settings_for("webhooks+reconciliation")
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = world.settle(payment_id)
        await shop.deliver(event)
        order = await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        after = await shop.order(order_id)
        assert after["history"] == order["history"]
        assert (await shop.http.get("/ledger")).json()["entries"] == 1


async def test_the_history_says_when_from_where_and_what():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.settle(payment_id))
        history = (await shop.until_status(order_id, "fulfilled"))["history"]
    assert [(step["source"], step["what"], step["status"]) for step in history] == [
        ("customer", "order placed", "pending"),
        ("answer", "payment processing", "pending"),
        ("webhook", "payment.succeeded", "paid"),
        ("warehouse", "fulfilled", "fulfilled"),
    ]
    assert all(step["time"].startswith("2023-") for step in history)


async def test_a_repeated_webhook_is_counted_as_useless_and_a_forged_one_as_failed():
    world = FakeProvider()
    async with running_shop(world) as shop:
        _, payment_id = await shop.place_requested_order()
        event = world.settle(payment_id)
        for _ in range(3):
            await shop.deliver(event)
        await shop.deliver(event, webhook_signature="v1,AAAA")
        found = (await tracking_of(shop))["by_kind"]["webhook"]
        text = (await shop.http.get("/metrics")).text
    assert (found["requests"], found["useless_requests"], found["failed_requests"]) == (4, 2, 1)
    assert 'shop_tracking_requests_total{kind="webhook"} 4' in text


async def test_staleness_runs_from_the_event_to_when_the_order_showed_it_not_to_a_later_repeat():
    world = FakeProvider()
    async with running_shop(world) as shop:
        _, payment_id = await shop.place_requested_order()
        event = world.settle(payment_id)
        event["timestamp"] = shop.clock.now()
        await shop.deliver(event)
        await shop.until_worked_off()
        shop.clock.ahead_s += 250
        await shop.deliver({**event, "id": "evt_again"})
        await shop.until_worked_off()
        found = (await tracking_of(shop))["staleness_seconds"]["payment.succeeded"]
    assert found["count"] == 2
    assert found["max"] < 250
