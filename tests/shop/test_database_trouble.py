"""A database that does not answer: the provider is put off, and nothing counts as taken."""

from contextlib import asynccontextmanager

from sqlport import DatabaseBusy, open_database
from tests.shop.fakes import FakeWorld, running_shop


class TroubledDatabase:
    """Gives no connection while ``busy`` is set."""

    def __init__(self, database):
        self._database = database
        self.busy = False

    @asynccontextmanager
    async def transaction(self):
        if self.busy:
            raise DatabaseBusy("the database gave no connection in time")
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
        troubled.busy = True
        answer = await shop.deliver(event)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (answer.json()["code"], answer.json()["definite"]) == ("database_unavailable", False)
        assert "connection" not in answer.text
        troubled.busy = False
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_status(order_id, "fulfilled")
    await database.close()
