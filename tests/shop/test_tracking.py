"""Outcomes that no webhook told."""

from dataclasses import replace

import pytest

from tests.shop.fakes import QUICK, FakeWorld, StoppedClock, for_a_while, running_shop, until

pytestmark = pytest.mark.usefixtures("on_each_engine")

RECONCILING = replace(QUICK, tracking="webhooks+reconciliation")
POLLING = replace(QUICK, tracking="polling")


@pytest.mark.parametrize("settings", [RECONCILING, POLLING], ids=["reconciliation", "polling"])
async def test_the_provider_is_asked_about_an_order_left_pending(settings):
    async with running_shop(settings=settings) as shop:
        order_id, payment_id = await shop.place_requested_order()
        shop.world.event(payment_id, "succeeded")
        await shop.until_status(order_id, "fulfilled")
        await for_a_while()
        asked = len(shop.world.calls("GET", f"/v1/payments/{payment_id}"))
        assert asked >= 1
        await for_a_while()
        assert len(shop.world.calls("GET", f"/v1/payments/{payment_id}")) == asked
        assert len(shop.world.shipments) == 1


@pytest.mark.parametrize("settings", [RECONCILING, POLLING], ids=["reconciliation", "polling"])
async def test_an_order_whose_payment_is_not_known_is_asked_about_by_its_reference(settings):
    world = FakeWorld()
    world.script = ["lose_response", *[(503, {})] * 1000]
    async with running_shop(world, settings=settings) as shop:
        order_id = (await shop.place_order())["id"]
        await until(lambda: len(world.payments) == 1)
        world.event("pay_1", "succeeded")
        await shop.until_status(order_id, "fulfilled")


async def test_without_reconciliation_nobody_asks():
    async with running_shop() as shop:
        _, payment_id = await shop.place_requested_order()
        shop.world.event(payment_id, "succeeded")
        await for_a_while()
        assert shop.world.calls("GET", "/v1/payments") == []


async def test_reconciliation_leaves_young_orders_alone():
    settings = replace(RECONCILING, reconcile_after_s=100.0)
    async with running_shop(settings=settings) as shop:
        await shop.place_requested_order()
        await for_a_while()
        assert shop.world.calls("GET", "/v1/payments") == []


async def test_questions_about_one_order_become_rarer():
    settings = replace(RECONCILING, reconcile_after_s=100.0, reconcile_interval_s=300.0)
    async with running_shop(settings=settings, clock=StoppedClock()) as shop:
        _, payment_id = await shop.place_requested_order()

        def asked():
            return len(shop.world.calls("GET", f"/v1/payments/{payment_id}"))

        for wait_s, number in ((100.0, 1), (300.0, 2), (600.0, 3)):
            shop.clock.ahead_s += wait_s - 1
            await shop.place_requested_order()  # which has the shop look at all open orders
            await for_a_while()
            assert asked() == number - 1
            shop.clock.ahead_s += 1
            await shop.place_requested_order()
            await until(lambda wanted=number: asked() == wanted)


async def test_an_order_is_never_given_up_because_the_provider_is_away():
    world = FakeWorld()
    async with running_shop(world, settings=RECONCILING) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.event(payment_id, "succeeded")
        world.down = True
        await for_a_while()
        assert (await shop.order(order_id))["status"] == "pending"
        world.down = False
        await shop.until_status(order_id, "fulfilled")


async def test_a_failed_payment_is_learnt_by_asking_too():
    async with running_shop(settings=POLLING) as shop:
        order_id, payment_id = await shop.place_requested_order()
        shop.world.event(payment_id, "failed")
        await shop.until_status(order_id, "failed")


async def test_an_answer_about_another_amount_pays_nothing():
    async with running_shop(settings=POLLING) as shop:
        order_id, payment_id = await shop.place_requested_order()
        shop.world.event(payment_id, "succeeded")
        shop.world.payments[payment_id]["amount"] = 1
        asked = len(shop.world.calls("GET", f"/v1/payments/{payment_id}"))
        await until(lambda: len(shop.world.calls("GET", f"/v1/payments/{payment_id}")) > asked + 1)
        assert (await shop.order(order_id))["status"] == "pending"
