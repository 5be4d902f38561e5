"""Two processes decide at once: whoever comes second sees what the first has done.

PostgreSQL runs at READ COMMITTED, where a row that was read may change before it is written. Each
test holds one transaction open, lets another come in its way, and looks at what is stored.
"""

import asyncio
from dataclasses import replace

import pytest

from shop import endpoint_store, event_store, queues, refund_store, store
from shop.domain.catalogue import Item
from shop.domain.order import Order, OrderStatus
from shop.domain.refund import RefundStatus, WantedRefund
from shop.domain.webhook_signature import WebhookSecrets
from sqlport import open_database
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import PATIENCE_S, QUICK, for_a_while, running_shop, until

URL = "http://shop:8081/webhooks/psp"
NOW, LEASE_S, LOOK_S = 1000.0, 15.0, 0.25
ORDER = Order("ord_1", OrderStatus.PAID, 1250, "EUR", "ada@example.com", (Item("mug", 1),), 1.0)
WISH = WantedRefund("ref_1", ORDER.id, "key_1", 250, None, RefundStatus.REQUESTED, created_at=1.0)


@pytest.fixture
async def database(postgres_url):
    opened = await open_database(postgres_url)
    await opened.apply_schema(store.SCHEMA)
    yield opened
    await opened.close()


async def at_the_same_time(database, first, second):
    """``second`` begins while ``first`` has done its part and has not committed it."""

    async def late():
        async with database.transaction() as transaction:
            return await second(transaction)

    async with database.transaction() as transaction:
        await first(transaction)
        coming = asyncio.create_task(late())
        await asyncio.sleep(0.1)
    return await coming


async def row_of(database, query):
    async with database.transaction() as transaction:
        return await transaction.fetch_one(query)


async def want_refund(database):
    async with database.transaction() as transaction:
        await store.insert_order(transaction, ORDER, "key_0")
        await refund_store.insert_refund(transaction, WISH, None)


def take_refunds(transaction, now=NOW):
    return refund_store.take_refunds(transaction, now, 10, lease_s=LEASE_S, look_s=LOOK_S)


async def test_a_refund_that_is_being_answered_is_not_taken_again(database):
    await want_refund(database)
    due = await at_the_same_time(
        database, lambda one: refund_store.save_accepted(one, WISH, "re_1"), take_refunds
    )
    assert due.items == []
    row = await row_of(database, "SELECT due_at, attempts, refund_id FROM refunds")
    assert (row["due_at"], row["attempts"], row["refund_id"]) == (None, 0, "re_1")


async def test_a_refusal_that_comes_late_does_not_take_back_a_refund_that_was_made(database):
    await want_refund(database)
    await at_the_same_time(
        database,
        lambda one: refund_store.save_accepted(one, WISH, "re_1"),
        lambda one: refund_store.save_refused(one, WISH, "the key is too old"),
    )
    row = await row_of(database, "SELECT status, refund_id, failure FROM refunds")
    assert (row["status"], row["refund_id"], row["failure"]) == ("pending", "re_1", None)


async def test_a_refund_is_taken_by_one_of_two(database):
    await want_refund(database)
    due = await at_the_same_time(database, take_refunds, take_refunds)
    assert due.items == []
    assert (await row_of(database, "SELECT attempts FROM refunds"))["attempts"] == 1


async def take_all(transaction):
    """One look at every queue of the shop, empty as they are."""
    leased = {"lease_s": LEASE_S, "look_s": LOOK_S}
    return [
        await queues.take_payment_requests(transaction, NOW, 10, **leased),
        await queues.take_shipments(transaction, NOW, 10, **leased),
        await queues.take_events(transaction, NOW, 10, look_s=LOOK_S),
        await queues.take_orders_to_check(
            transaction, NOW, 10, first_after_s=1, delay_after_check=lambda _: 1, look_s=LOOK_S
        ),
        await take_refunds(transaction),
    ]


async def test_where_others_may_store_work_every_queue_is_looked_at_again_soon(database):
    async with database.transaction() as transaction:
        dues = await take_all(transaction)
        at = await endpoint_store.next_endpoint_work_at(transaction, URL, NOW, LOOK_S)
    assert [due.next_at for due in dues] == [NOW + LOOK_S] * 5
    assert at == NOW + LOOK_S


async def test_where_nobody_else_can_the_shop_sleeps_until_it_is_woken():
    alone = await open_database("sqlite:///:memory:")
    await alone.apply_schema(store.SCHEMA)
    async with alone.transaction() as transaction:
        assert [due.next_at for due in await take_all(transaction)] == [None] * 5
    await alone.close()


class Forgetful(FakeProvider):
    """Has made one of two refunds and forgotten both keys; tells both who ask of it at once."""

    def __init__(self):
        super().__init__()
        self.refund_script = ["lose_response", (503, {})]
        self.both = asyncio.Barrier(2)

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        if request.method == "GET" and request.url.path == "/v1/refunds":
            self.refunds = {made["id"]: made for made in self.refunds.values()}
            if len(self.calls("GET", "/v1/refunds")) <= 2:
                await self.both.wait()
        return answer


@pytest.mark.usefixtures("on_each_engine")
async def test_old_wishes_for_one_amount_share_no_refund():
    world = Forgetful()
    settings = replace(QUICK, ask_first_after_s=0.001, psp_timeout_s=PATIENCE_S)
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.settle(payment_id))
        await shop.until_status(order_id, "fulfilled")
        for _ in range(2):
            await shop.http.post(f"/orders/{order_id}/refunds", json={"amount": 100})
        await shop.until_worked_off()
        refunds = (await shop.order(order_id))["refunds"]
    assert sorted(one["refund_id"] for one in refunds) == ["re_1", "re_2"]
    assert [one["amount"] for one in world.refunds.values()] == [100, 100]


@pytest.mark.usefixtures("on_each_engine")
async def test_an_outcome_that_overtakes_the_refunds_answer_is_not_asked_for_for_ever():
    world = FakeProvider()
    settings = replace(QUICK, tracking="webhooks+reconciliation", reconcile_interval_cap_s=0.02)
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.settle(payment_id))
        await shop.until_status(order_id, "fulfilled")
        world.refund_script = ["lose_response"] * 3
        await shop.http.post(f"/orders/{order_id}/refunds", json={})
        await until(lambda: bool(world.refunds))
        await shop.deliver(world.refunded(payment_id, "succeeded"))
        await shop.until_status(order_id, "refunded")
        world.refund_script = []
        await shop.until_worked_off()
        row = await row_of(shop.database, "SELECT is_open FROM orders")
        assert row["is_open"] == 0


async def endpoint_with(database, endpoint_id, secret="whsec_1", key="key_1"):
    async with database.transaction() as transaction:
        await endpoint_store.announce_endpoint(transaction, URL, key, NOW)
        await endpoint_store.store_created(transaction, URL, key, endpoint_id, secret)


async def endpoint_of(database):
    async with database.transaction() as transaction:
        return await endpoint_store.load_endpoint(transaction, URL)


def take_endpoint(transaction):
    return endpoint_store.take_endpoint(transaction, URL, NOW, LEASE_S)


async def test_the_endpoint_is_looked_after_by_one_of_two(database):
    await endpoint_with(database, "we_1")
    assert not await at_the_same_time(database, take_endpoint, take_endpoint)


async def test_an_endpoint_that_was_made_anew_is_not_forgotten_for_the_sake_of_the_old_one(
    database,
):
    await endpoint_with(database, "we_1")

    async def make_anew(transaction):
        await endpoint_store.forget_created(transaction, URL, "we_1", "key_2")
        await endpoint_store.store_created(transaction, URL, "key_2", "we_2", "whsec_2")

    await at_the_same_time(
        database, make_anew, lambda one: endpoint_store.forget_created(one, URL, "we_1", "key_3")
    )
    endpoint = await endpoint_of(database)
    assert (endpoint.id, endpoint.creation_key) == ("we_2", "key_2")
    assert endpoint.secrets.current == "whsec_2"


async def test_an_answer_that_comes_late_does_not_take_back_a_newer_secret(database):
    await endpoint_with(database, "we_1")

    async def rotate(transaction):
        secrets = WebhookSecrets("whsec_1").replaced_by("whsec_2", NOW, NOW + 60)
        await endpoint_store.store_rotation_wish(transaction, URL, "key_r", None)
        await endpoint_store.store_rotated(transaction, URL, "key_r", secrets)

    await at_the_same_time(
        database,
        rotate,
        lambda one: endpoint_store.store_created(one, URL, "key_1", "we_1", "whsec_1"),
    )
    assert (await endpoint_of(database)).secrets.current == "whsec_2"


async def test_a_rotation_that_another_process_finished_is_not_stored_twice(database):
    await endpoint_with(database, "we_1")
    first = WebhookSecrets("whsec_1").replaced_by("whsec_2", NOW, NOW + 60)
    second = first.replaced_by("whsec_3", NOW, NOW + 60)
    async with database.transaction() as transaction:
        for key, secrets in (("key_r", first), ("key_s", second)):
            await endpoint_store.store_rotation_wish(transaction, URL, key, None)
            await endpoint_store.store_rotated(transaction, URL, key, secrets)
        await endpoint_store.store_rotated(transaction, URL, "key_r", first)
    assert (await endpoint_of(database)).secrets == second


async def test_a_wish_to_look_is_not_lost_to_a_look_that_was_before_it(database):
    await endpoint_with(database, "we_1")
    async with database.transaction() as transaction:
        assert await take_endpoint(transaction)
    await at_the_same_time(
        database,
        lambda one: endpoint_store.look_at_once(one, NOW + 1),
        lambda one: endpoint_store.note_settled(one, URL, NOW + 2, NOW + 600),
    )
    assert (await endpoint_of(database)).due_at == NOW + 1


async def test_an_event_that_comes_twice_at_once_is_one(database):
    def insert(transaction):
        return store.insert_event(transaction, "evt_1", "{}", NOW)

    assert not await at_the_same_time(database, insert, insert)


async def test_an_event_is_closed_by_one_of_two(database):
    async with database.transaction() as transaction:
        await store.insert_event(transaction, "evt_1", "{}", NOW)

    def close(transaction):
        return store.close_event(transaction, "evt_1", store.DONE)

    assert not await at_the_same_time(database, close, close)


async def test_an_event_that_is_put_back_while_it_is_taken_is_not_lost(database):
    """It was committed after the look and before the lease: then the next look finds it."""
    async with database.transaction() as transaction:
        await store.insert_event(transaction, "evt_1", "{}", NOW)
        await store.insert_event(transaction, "evt_2", "{}", NOW)
        await store.close_event(transaction, "evt_1", store.DEAD)

    def take(transaction):
        return queues.take_events(transaction, NOW, 10, look_s=LOOK_S)

    def put_back(transaction):
        return event_store.retry_dead_letters(transaction, "evt_1", NOW)

    due = await at_the_same_time(database, put_back, take)
    assert [row.event_id for row in due.items] == ["evt_2"]
    async with database.transaction() as transaction:
        assert [row.event_id for row in (await take(transaction)).items] == ["evt_1"]


async def test_two_wishes_at_once_in_two_processes_never_refund_more_than_was_paid(postgres_url):
    world, first = FakeProvider(), await open_database(postgres_url)
    second = await open_database(postgres_url)
    async with (
        running_shop(world, database=first) as one,
        running_shop(world, database=second, seed=2) as other,
    ):
        order_id, payment_id = await one.place_requested_order()
        await one.deliver(world.settle(payment_id))
        await one.until_status(order_id, "fulfilled")
        path, wish = f"/orders/{order_id}/refunds", {"amount": 700}
        answers = await asyncio.gather(
            *(shop.http.post(path, json=wish) for shop in (one, other) for _ in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
        await one.until_worked_off()
        await for_a_while()
    await first.close()
    await second.close()
    assert [made["amount"] for made in world.refunds.values()] == [700]
