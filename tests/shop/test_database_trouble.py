"""A database that does not answer: the provider is put off, and nothing counts as taken."""

from contextlib import asynccontextmanager

from sqlport import ConstraintBroken, DatabaseBusy, open_database
from tests.shop.fakes import FakeWorld, running_shop


class TroubledDatabase:
    """Raises ``trouble`` while there is any."""

    others = None

    def __init__(self, database):
        self._database = database
        self.trouble = None

    @asynccontextmanager
    async def transaction(self):
        if self.trouble is not None:
            raise self.trouble
        async with self._database.transaction() as transaction:
            yield transaction

    async def apply_schema(self, script):
        await self._database.apply_schema(script)


async def test_while_nothing_can_be_stored_a_webhook_is_put_off_and_taken_later():
    world, database = FakeWorld(), await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    async with running_shop(world, database=troubled) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = world.event(payment_id, "succeeded")
        troubled.trouble = DatabaseBusy("the database gave no connection in time")
        answer = await shop.deliver(event)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (answer.json()["code"], answer.json()["definite"]) == ("database_unavailable", False)
        assert "connection" not in answer.text
        troubled.trouble = None
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_status(order_id, "fulfilled")
    await database.close()


async def test_what_the_shop_itself_did_wrong_is_not_put_down_to_the_database():
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    async with running_shop(FakeWorld(), database=troubled) as shop:
        troubled.trouble = ConstraintBroken("a second row with the same key")
        answer = await shop.deliver({"id": "evt_1", "type": "ping"})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        troubled.trouble = None
    await database.close()
