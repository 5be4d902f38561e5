"""A database that does not answer: the provider is put off, and nothing counts as taken."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from shop.parts import Parts
from shop.process_inbox import process_event
from sqlport import ConstraintBroken, DatabaseBusy, DatabaseUnwritable, open_database
from tests.shop.fakes import QUICK, FakeWorld, running_shop


class TroubledDatabase:
    """Raises ``raised`` while there is any; answers nothing until ``answering`` is set."""

    others = None
    trouble = None

    def __init__(self, database):
        self._database = database
        self.raised = None
        self.answering = asyncio.Event()
        self.answering.set()

    @asynccontextmanager
    async def transaction(self):
        await self.answering.wait()
        if self.raised is not None:
            raise self.raised
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
        troubled.raised = DatabaseBusy("the database gave no connection in time")
        answer = await shop.deliver(event)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (answer.json()["code"], answer.json()["definite"]) == ("database_unavailable", False)
        assert "connection" not in answer.text
        troubled.raised = None
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_status(order_id, "fulfilled")
    await database.close()


async def test_what_the_shop_itself_did_wrong_is_not_put_down_to_the_database():
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    async with running_shop(FakeWorld(), database=troubled) as shop:
        troubled.raised = ConstraintBroken("a second row with the same key")
        answer = await shop.deliver({"id": "evt_1", "type": "ping"})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        troubled.raised = None
    await database.close()


async def test_whoever_asks_how_the_shop_is_need_not_wait_for_the_database(monkeypatch):
    monkeypatch.setattr("shop.http_operations.HEALTH_WAIT_S", 0.01)
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    async with running_shop(FakeWorld(), database=troubled) as shop:
        troubled.answering.clear()
        async with asyncio.timeout(60):
            answer = await shop.http.get("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        troubled.answering.set()
    await database.close()


async def test_a_shop_that_could_not_store_something_says_so_for_a_while():
    database = await open_database("sqlite:///:memory:")
    troubled = TroubledDatabase(database)
    async with running_shop(FakeWorld(), database=troubled) as shop:
        assert (await shop.http.get("/healthz")).status_code == 200
        troubled.trouble = "the database cannot store anything: disk full in secret-folder"
        answer = await shop.http.get("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert "secret-folder" not in answer.text
        troubled.trouble = None
        assert (await shop.http.get("/healthz")).status_code == 200
    await database.close()


async def test_that_the_database_is_away_is_no_failure_of_the_event_that_waits_for_it(monkeypatch):
    database, tries = await open_database("sqlite:///:memory:"), []

    async def process(shop, row):
        tries.append(row.attempts)
        if len(tries) <= QUICK.inbox_attempts_max:
            raise DatabaseUnwritable("the database cannot store anything: disk full")
        await process_event(shop, row)

    monkeypatch.setattr("shop.workers._PAUSE_CAP_S", 0.01)
    parts = replace(Parts(), process_event=process)
    async with running_shop(FakeWorld(), database=database, parts=parts) as shop:
        order_id, payment_id = await shop.place_requested_order()
        event = shop.world.event(payment_id, "succeeded")
        assert (await shop.deliver(event)).status_code == 200
        await shop.until_status(order_id, "fulfilled")
    assert set(tries) == {0}
    await database.close()
