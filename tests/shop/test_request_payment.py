"""The payment request: one key for ever, and no answer means unknown."""

from dataclasses import replace

import pytest

from tests.shop.fakes import QUICK, FakeClock, FakeWorld, for_a_while, running_shop, until

pytestmark = pytest.mark.usefixtures("on_each_engine")


def keys_of(world):
    return [one.headers["idempotency-key"] for one in world.calls("POST", "/v1/payments")]


async def test_the_provider_is_asked_for_the_orders_money_with_the_order_as_reference():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        payment = shop.world.payments[payment_id]
        assert (payment["amount"], payment["currency"]) == (1250, "EUR")
        assert payment["reference"] == order_id


@pytest.mark.parametrize(
    "trouble",
    [
        "lose_request",
        "lose_response",
        "error_after",
        (500, {}),
        (503, {}),
        (409, {}),
        (409, {"code": "in_use", "definite": False}),
        (429, {}),
        (408, {}),
        (425, {}),
        (307, {}),
        (200, {"nonsense": True}),
        (422, {"definite": False}),
    ],
    ids=str,
)
async def test_what_is_not_final_is_repeated_with_the_same_key_and_charges_once(trouble):
    world = FakeWorld()
    world.script = [trouble] * 3
    async with running_shop(world) as shop:
        order_id, _ = await shop.place_requested_order()
        assert len(keys_of(world)) == 4
        assert len(set(keys_of(world))) == 1
        assert len(world.payments) == 1
        assert (await shop.order(order_id))["status"] == "pending"


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422])
async def test_a_definite_refusal_fails_the_order_with_the_providers_reason(status):
    world = FakeWorld()
    world.script = [(status, {"detail": "amount too small", "definite": True})]
    async with running_shop(world) as shop:
        order_id = (await shop.place_order())["id"]
        order = await shop.until_status(order_id, "failed")
        assert order["failure"] == f"the provider answered {status}: amount too small"
        await for_a_while()
        assert len(keys_of(world)) == 1


async def test_two_orders_have_two_keys():
    async with running_shop() as shop:
        await shop.place_requested_order()
        await shop.place_requested_order()
        assert len(set(keys_of(shop.world))) == 2


async def test_an_order_whose_request_hangs_does_not_hold_up_another():
    world = FakeWorld()
    world.script = [(503, {})] * 2
    async with running_shop(
        world, settings=replace(QUICK, retry_delay_cap_s=60.0, retry_first_delay_s=60.0)
    ) as shop:
        first = (await shop.place_order())["id"]
        second = (await shop.place_order())["id"]
        third = (await shop.place_order())["id"]
        await shop.until_order(third, lambda order: order["payment_id"] is not None)
        assert (await shop.order(first))["payment_id"] is None
        assert (await shop.order(second))["payment_id"] is None


async def test_the_answer_alone_can_pay_an_order():
    world = FakeWorld()
    payment = {"id": "pay_9", "status": "succeeded", "amount": 1250, "currency": "EUR"}
    world.script = [(201, payment)]
    async with running_shop(world) as shop:
        order_id = (await shop.place_order())["id"]
        order = await shop.until_status(order_id, "fulfilled")
        assert order["payment_id"] == "pay_9"


async def is_put_off(shop, order_id, seconds):
    async with shop.database.transaction() as transaction:
        row = await transaction.fetch_one(
            "SELECT due_at FROM payment_requests WHERE order_id = ?", order_id
        )
    return row["due_at"] > shop.clock.now() + seconds


async def test_a_request_older_than_keys_live_is_looked_up_before_it_is_repeated():
    world, clock = FakeWorld(), FakeClock()
    world.script = ["lose_response"]
    slow = replace(QUICK, retry_first_delay_s=1000.0, retry_delay_cap_s=1000.0)
    async with running_shop(world, settings=slow, clock=clock) as shop:
        order_id = (await shop.place_order())["id"]
        await until(lambda: is_put_off(shop, order_id, 900))
        assert len(world.payments) == 1
        world.by_key.clear()
        clock.ahead_s += 13 * 3600
        await shop.place_order()
        order = await shop.until_order(order_id, lambda order: order["payment_id"] is not None)
        assert order["payment_id"] == "pay_1"
        assert [one["reference"] for one in world.payments.values()].count(order_id) == 1
