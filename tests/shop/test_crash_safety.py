"""Whatever was promised survives the end of the process, on a real file and a real server."""

from contextlib import asynccontextmanager

import pytest

from shop.parts import Parts
from sqlport import open_database
from tests.shop.fakes import FakeWorld, after_every_lease, running_shop, until


@pytest.fixture
def url(database_url):
    return database_url


async def test_an_accepted_event_that_was_not_processed_is_processed_after_a_restart(url):
    world = FakeWorld()

    async def dies(_shop, _row):
        raise RuntimeError("the power is gone")

    database = await open_database(url)
    async with running_shop(world, database=database, parts=Parts(process_event=dies)) as shop:
        order_id, payment_id = await shop.place_requested_order()
        assert (await shop.deliver(world.event(payment_id, "succeeded"))).status_code == 200
    await database.close()
    database = await open_database(url)
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        await shop.until_status(order_id, "fulfilled")
        event = world.event(payment_id, "succeeded")
        assert (await shop.deliver(event)).status_code == 200
    await database.close()
    assert len(world.shipments) == 1


async def test_a_payment_request_goes_on_with_its_key_after_a_restart(url):
    world = FakeWorld()
    world.script = ["lose_response"] * 1000
    database = await open_database(url)
    async with running_shop(world, database=database) as shop:
        order_id = (await shop.place_order())["id"]
        await until(lambda: len(world.payments) == 1)
    await database.close()
    world.script = []
    database = await open_database(url)
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        await shop.until_order(order_id, lambda order: order["payment_id"] == "pay_1")
    await database.close()
    assert len({one.headers["idempotency-key"] for one in world.calls("POST", "/v1/pay")}) == 1


async def test_a_fulfilment_is_asked_for_again_under_its_id_after_a_restart(url):
    world = FakeWorld()
    world.warehouse_script = [500] * 1000
    database = await open_database(url)
    async with running_shop(world, database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(world.event(payment_id, "succeeded"))
        await until(lambda: len(world.shipments) >= 1)
    await database.close()
    world.warehouse_script = []
    database = await open_database(url)
    async with running_shop(world, database=database, clock=after_every_lease(), seed=2) as shop:
        await shop.until_status(order_id, "fulfilled")
    await database.close()
    assert len({one["fulfilment"] for one in world.shipments}) == 1


class FailingDatabase:
    """Fails each statement that starts with ``broken``, for as long as that is set."""

    others = None
    trouble = None

    def __init__(self, database):
        self._database = database
        self.broken = None
        self.failures = 0

    @asynccontextmanager
    async def transaction(self):
        async with self._database.transaction() as transaction:
            yield FailingTransaction(self, transaction)

    async def apply_schema(self, script):
        await self._database.apply_schema(script)

    async def close(self):
        await self._database.close()


class FailingTransaction:
    def __init__(self, database, transaction):
        self._database = database
        self._transaction = transaction
        self.fetch_one = transaction.fetch_one
        self.fetch_all = transaction.fetch_all

    async def execute(self, statement, *values):
        if self._database.broken and statement.startswith(self._database.broken):
            self._database.failures += 1
            raise RuntimeError("the disk is full")
        return await self._transaction.execute(statement, *values)


@pytest.mark.parametrize(
    "broken",
    ["UPDATE orders", "INSERT INTO ledger_lines", "INSERT INTO fulfilments", "UPDATE inbox SET st"],
)
async def test_an_error_among_the_effects_leaves_none_of_them_and_they_come_later(url, broken):
    world = FakeWorld()
    database = FailingDatabase(await open_database(url))
    async with running_shop(world, database=database) as shop:
        order_id, payment_id = await shop.place_requested_order()
        database.broken = broken
        assert (await shop.deliver(world.event(payment_id, "succeeded"))).status_code == 200
        await until(lambda: database.failures > 1)
        assert (await shop.order(order_id))["status"] == "pending"
        assert (await shop.http.get("/ledger")).json()["entries"] == 0
        assert world.shipments == []
        database.broken = None
        await shop.until_status(order_id, "fulfilled")
    await database.close()
    assert len(world.shipments) == 1
