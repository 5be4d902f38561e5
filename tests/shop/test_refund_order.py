"""Refunds that the shop asks for: once, never too much, and known only when the provider tells."""

import asyncio
from dataclasses import replace

import pytest

from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import QUICK, after_every_lease, fresh_database, running_shop, until

pytestmark = pytest.mark.usefixtures("on_each_engine")


async def paid_order(shop):
    order_id, payment_id = await shop.place_requested_order()
    await shop.deliver(shop.world.settle(payment_id))
    await shop.until_status(order_id, "fulfilled")
    return order_id, payment_id


async def ask(shop, order_id, body=None, **headers):
    return await shop.http.post(f"/orders/{order_id}/refunds", json=body or {}, headers=headers)


async def accepted(shop, order_id):
    await shop.until_order(
        order_id, lambda order: [one["status"] for one in order["refunds"]] == ["pending"]
    )


async def balances(shop):
    return (await shop.http.get("/ledger")).json()["balances"]


async def test_a_refund_is_asked_for_accepted_and_done_when_the_provider_says_so():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, payment_id = await paid_order(shop)
        answer = await ask(shop, order_id, {"amount": 250, "reason": "requested_by_customer"})
        assert (answer.status_code, answer.json()["status"]) == (201, "requested")
        await accepted(shop, order_id)
        order = await shop.order(order_id)
        assert (order["status"], order["amount_refunded"]) == ("fulfilled", 0)
        await shop.deliver(world.refunded(payment_id, "succeeded"))
        order = await shop.until_status(order_id, "partially_refunded")
        assert (order["amount_refunded"], order["amount_refundable"]) == (250, 1000)
        assert await balances(shop) == {
            "provider": {"EUR": 1000},
            "refunds": {"EUR": 250},
            "sales": {"EUR": -1250},
        }
        (refund,) = order["refunds"]
        assert (refund["refund_id"], refund["status"]) == ("re_1", "succeeded")
    (request,) = world.calls("POST", "/v1/refunds")
    assert b'"reason":"requested_by_customer"' in request.content


async def test_a_refund_that_fails_later_gives_the_order_and_the_books_back():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, payment_id = await paid_order(shop)
        await ask(shop, order_id)
        await accepted(shop, order_id)
        await shop.deliver(world.refunded(payment_id, "succeeded"))
        await shop.until_status(order_id, "refunded")
        await shop.deliver(world.refunded(payment_id, "failed"))
        order = await shop.until_status(order_id, "fulfilled")
        assert (order["amount_refunded"], order["amount_refundable"]) == (0, 1250)
        assert (await balances(shop))["provider"] == {"EUR": 1250}
        assert len(world.shipments) == 1


async def test_a_payment_that_fails_after_its_success_reverses_the_order():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, payment_id = await paid_order(shop)
        await shop.deliver(world.settle(payment_id, "failed"))
        await shop.until_status(order_id, "reversed")
        assert (await balances(shop))["provider"] == {"EUR": 0}
        assert (await ask(shop, order_id)).json()["code"] == "not_refundable"


@pytest.mark.parametrize("trouble", ["lose_response", (503, {}), (409, {"definite": False})])
async def test_an_answer_that_says_nothing_is_asked_for_again_with_the_same_key(trouble):
    world = FakeProvider()
    world.refund_script = [trouble, trouble]
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        await ask(shop, order_id)
        await accepted(shop, order_id)
    calls = world.calls("POST", "/v1/refunds")
    assert len(calls) == 3
    assert len({one.headers["idempotency-key"] for one in calls}) == 1
    assert len(world.refunds) == 1


async def test_a_refund_whose_answer_was_lost_goes_on_with_its_key_after_a_restart():
    world, database = FakeProvider(), await fresh_database()
    world.refund_script = ["lose_response"] * 1000
    async with running_shop(world, database=database) as shop:
        order_id, _ = await paid_order(shop)
        await ask(shop, order_id)
        await until(lambda: len(world.refunds) == 1)
    world.refund_script = []
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        await accepted(shop, order_id)
    await database.close()
    assert len(world.refunds) == 1


async def test_an_old_refund_is_looked_for_before_it_is_asked_for_again():
    world = FakeProvider()
    world.refund_script = ["lose_response"]
    settings = replace(QUICK, ask_first_after_s=0.001)
    async with running_shop(world, settings=settings) as shop:
        order_id, _ = await paid_order(shop)
        await ask(shop, order_id, {"amount": 100})
        await accepted(shop, order_id)
    assert len(world.calls("POST", "/v1/refunds")) == 1
    assert len(world.calls("GET", "/v1/refunds")) == 1


async def test_a_definite_refusal_ends_the_wish_and_frees_its_amount():
    world = FakeProvider()
    world.refund_script = [(422, {"detail": "too old to refund", "definite": True})]
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        await ask(shop, order_id)
        order = await shop.until_order(
            order_id, lambda order: order["refunds"][0]["status"] == "failed"
        )
        assert "too old to refund" in order["refunds"][0]["failure"]
        assert order["amount_refundable"] == 1250
    assert len(world.calls("POST", "/v1/refunds")) == 1


async def test_two_wishes_at_once_never_refund_more_than_was_paid():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        answers = await asyncio.gather(*(ask(shop, order_id, {"amount": 700}) for _ in range(4)))
        assert sorted(one.status_code for one in answers) == [201, 422, 422, 422]
        await shop.until_worked_off()
    assert sum(one["amount"] for one in world.refunds.values()) == 700


async def test_two_refunds_of_one_order_are_two_with_a_key_each():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        for _ in range(2):
            assert (await ask(shop, order_id, {"amount": 100})).status_code == 201
        await shop.until_worked_off()
        assert (await shop.order(order_id))["amount_refundable"] == 1050
    assert len(world.refunds) == 2


async def test_a_repeat_under_the_callers_own_key_is_the_same_refund():
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        answers = [
            await ask(shop, order_id, {"amount": 100}, **{"idempotency-key": "k1"})
            for _ in range(3)
        ]
        await shop.until_worked_off()
        assert len({one.json()["id"] for one in answers}) == 1
    assert len(world.refunds) == 1


@pytest.mark.parametrize("tracking", ["polling", "long-polling", "webhooks+reconciliation"])
async def test_what_became_of_a_refund_is_learnt_by_asking_too(tracking):
    world = FakeProvider()
    # The log is left out: it must be the question about the order that finds it.
    settings = replace(
        QUICK, tracking=tracking, long_polling_wait_s=0.05, reconcile_interval_cap_s=0.02
    )
    async with running_shop(world, settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")
        await ask(shop, order_id)
        await accepted(shop, order_id)
        world.refunded(payment_id, "pending")
        world.refunded(payment_id, "succeeded")
        world.log.clear()
        order = await shop.until_status(order_id, "refunded")
    assert order["history"][-1]["source"] in (tracking, "reconciliation")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": 1251}, 422, "refund_too_large"),
        ({"amount": 0}, 400, "malformed_request"),
        ({"amount": 1.5}, 400, "malformed_request"),
        ({"amount": -1}, 400, "malformed_request"),
    ],
    ids=str,
)
async def test_an_amount_that_cannot_be_refunded_is_refused(body, status, code):
    world = FakeProvider()
    async with running_shop(world) as shop:
        order_id, _ = await paid_order(shop)
        answer = await ask(shop, order_id, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        await shop.until_worked_off()
    assert world.refunds == {}


async def test_only_an_order_that_was_paid_is_refunded():
    async with running_shop(FakeProvider()) as shop:
        order_id, _ = await shop.place_requested_order()
        assert (await ask(shop, order_id)).status_code == 409
        assert (await ask(shop, "ord_nobody")).status_code == 404


async def test_customers_do_not_refund_themselves():
    async with running_shop(FakeProvider(), peer="8.8.8.8") as shop:
        order_id, _ = await paid_order(shop)
        assert (await ask(shop, order_id)).status_code == 403
