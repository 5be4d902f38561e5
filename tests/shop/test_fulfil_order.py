"""The warehouse is asked until it has taken the goods on, always under the same id."""

from dataclasses import replace

import pytest

from tests.shop.fakes import QUICK, FakeWorld, for_a_while, running_shop, until

pytestmark = pytest.mark.usefixtures("on_each_engine")


async def test_the_warehouse_is_asked_again_under_the_same_id_until_it_says_yes():
    world = FakeWorld()
    world.warehouse_script = [500, 404, 302]
    async with running_shop(world) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")
        assert len(world.shipments) == 4
        assert len({one["fulfilment"] for one in world.shipments}) == 1


async def test_until_then_the_order_is_paid_and_its_fulfilment_queued():
    world = FakeWorld()
    world.warehouse_script = [500] * 1000
    async with running_shop(world) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.event(payment_id, "succeeded"))
        await until(lambda: len(world.shipments) >= 2)
        order = await shop.order(order_id)
        assert order["status"] == "paid"
        assert [one["status"] for one in order["fulfilments"]] == ["queued"]


async def test_a_warehouse_that_never_answers_is_asked_again():
    world = FakeWorld()
    world.warehouse_takes_s = 100.0
    async with running_shop(world, settings=replace(QUICK, warehouse_timeout_s=0.02)) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "paid")
        world.warehouse_takes_s = 0.0
        await shop.until_status(order_id, "fulfilled")


async def test_without_a_warehouse_a_paid_order_is_fulfilled():
    async with running_shop(settings=replace(QUICK, warehouse_url="")) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(shop.world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")


async def test_goods_do_not_leave_once_the_bank_has_taken_the_money_back():
    world = FakeWorld()
    world.warehouse_script = [500] * 1000
    async with running_shop(world) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.event(payment_id, "succeeded", sequence=2))
        await until(lambda: len(world.shipments) >= 2)
        await shop.deliver(world.event(payment_id, "failed", sequence=3))
        await shop.until_status(order_id, "reversed")
        await for_a_while()
        asked = len(world.shipments)
        world.warehouse_script = []
        await for_a_while()
        assert len(world.shipments) == asked
        order = await shop.order(order_id)
        assert [one["status"] for one in order["fulfilments"]] == ["withdrawn"]
