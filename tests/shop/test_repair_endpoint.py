"""The shop notices that its endpoint is not as it should be, says so, and puts it right."""

import logging
from dataclasses import replace

import httpx
import pytest

from sqlport import open_database
from tests.shop.fake_provider import FakeProvider
from tests.shop.fakes import QUICK, after_every_lease, for_a_while, running_shop, until

URL = "http://shop:8081/webhooks/psp"
# Orders are not asked about one by one here: what is missed has to be fetched by the repair.
LOOKING = replace(
    QUICK,
    tracking="webhooks+reconciliation",
    reconcile_after_s=1000.0,
    reconcile_interval_s=1000.0,
    endpoint_check_interval_s=0.02,
)

BREAKAGES = {
    "disabled": lambda world: world.endpoints["we_1"].update(
        status="disabled", disabled_reason="too many failures"
    ),
    "wrong_url": lambda world: world.endpoints["we_1"].update(url="http://elsewhere/webhooks"),
    "gone": lambda world: world.endpoints.clear(),
}


def is_right(world):
    found = list(world.endpoints.values())
    return len(found) == 1 and found[0]["url"] == URL and found[0].get("status") != "disabled"


async def health_of(shop):
    return (await shop.http.get("/healthz")).json()["webhook_endpoint"]


async def until_ok(shop):
    async def is_ok():
        return (await health_of(shop))["state"] == "ok"

    await until(is_ok)


@pytest.mark.parametrize("problem", BREAKAGES)
async def test_what_is_wrong_is_said_and_repaired_and_what_was_missed_is_fetched(problem, caplog):
    world = FakeProvider()
    async with running_shop(world, settings=LOOKING) as shop:
        await until_ok(shop)
        orders = [await shop.place_requested_order() for _ in range(5)]
        BREAKAGES[problem](world)
        for _, payment_id in orders:
            world.settle(payment_id)
        for order_id, _ in orders:
            await shop.until_status(order_id, "fulfilled")
        await until(lambda: is_right(world))
        await until_ok(shop)
        health = await health_of(shop)
        assert (health["state"], health["last_problem"]) == ("ok", problem)
        assert health["last_repair"]
        assert health["repaired"].startswith("2023-")
        metrics = (await shop.http.get("/metrics")).text
        assert f'shop_tracking_endpoint_repairs_total{{problem="{problem}"}} 1' in metrics
        assert "shop_webhook_endpoint_ok 1" in metrics
        answer = await shop.deliver({"id": "evt_after", "type": "ping"})
        assert answer.status_code == 200
    said = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert any("not as it should be" in sentence for sentence in said)
    assert any("was repaired" in sentence for sentence in said)


class RefusingRegistrations(FakeProvider):
    """Everything works, but for making an endpoint."""

    refuses = True

    def _provider(self, request):
        if self.refuses and (request.method, request.url.path) == ("POST", "/v1/webhook_endpoints"):
            return httpx.Response(503, json={"code": "simulated_error"})
        return super()._provider(request)


async def test_what_was_missed_before_a_late_registration_is_fetched():
    world = RefusingRegistrations()
    async with running_shop(world, settings=LOOKING, wait_for_secret=False) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await for_a_while()
        world.settle(payment_id)
        world.refuses = False
        await shop.until_status(order_id, "fulfilled")


async def test_missed_webhooks_are_asked_for_from_the_last_event_seen():
    world = FakeProvider()
    settings = replace(LOOKING, endpoint_check_interval_s=0.05)
    async with running_shop(world, settings=replace(settings, reconcile_interval_s=0.01)) as shop:
        order_id, payment_id = await shop.place_requested_order()
        world.settle(payment_id)
        await shop.until_status(order_id, "fulfilled")
        BREAKAGES["disabled"](world)
        await until(lambda: bool(world.recovered))
    assert world.recovered == ["evt_1"]


@pytest.mark.parametrize("problem", ["disabled", "wrong_url"])
async def test_where_a_provider_cannot_repair_the_endpoint_is_made_anew(problem):
    world = FakeProvider()
    world.can_repair = False
    async with running_shop(world, settings=LOOKING) as shop:
        BREAKAGES[problem](world)
        await until(lambda: "we_2" in world.endpoints)
        await shop.until_accepted({"id": "evt_1", "type": "ping"})
        await for_a_while()
        assert world.endpoints["we_2"]["url"] == URL
        assert len(world.endpoints) == 2


async def test_a_shop_with_a_new_address_takes_its_endpoint_along():
    world, database = FakeProvider(), await open_database("sqlite:///:memory:")
    async with running_shop(world, settings=LOOKING, database=database):
        await for_a_while()
    moved = replace(LOOKING, public_url="http://shop-2:8081")
    async with running_shop(
        world,
        settings=moved,
        database=database,
        clock=after_every_lease(),
        seed=2,
        wait_for_secret=False,
    ) as shop:
        await until(lambda: world.endpoints["we_1"]["url"] == "http://shop-2:8081/webhooks/psp")
        assert (await shop.deliver({"id": "evt_1", "type": "ping"})).status_code == 200
    await database.close()
    assert len(world.endpoints) == 1


async def test_an_event_that_says_it_was_disabled_is_acted_on_at_once():
    world = FakeProvider()
    settings = replace(LOOKING, endpoint_check_interval_s=1000.0)
    async with running_shop(world, settings=settings) as shop:
        await until_ok(shop)
        BREAKAGES["disabled"](world)
        await shop.deliver(world.tell("endpoint.disabled", dict(world.endpoints["we_1"])))
        await until(lambda: is_right(world))


async def test_while_the_provider_does_not_answer_nothing_is_thrown_away():
    world = FakeProvider()
    async with running_shop(world, settings=LOOKING) as shop:
        await until_ok(shop)
        world.down = True
        await for_a_while()
        world.down = False
        asked = len(world.calls("GET", "/v1/webhook_endpoints/we_1"))
        await until(lambda: len(world.calls("GET", "/v1/webhook_endpoints/we_1")) > asked + 1)
        assert list(world.endpoints) == ["we_1"]
        assert (await health_of(shop))["last_problem"] is None


async def test_a_shop_without_webhooks_has_no_endpoint_to_tell_of():
    async with running_shop(FakeProvider(), settings=replace(QUICK, tracking="polling")) as shop:
        assert "webhook_endpoint" not in (await shop.http.get("/healthz")).json()
