"""Databases of every age: brought up to date with what is in them, by one process or several."""

import asyncio

import pytest

from psp_sim import store
from psp_sim.endpoint_store import endpoint_by_id, save_endpoint
from psp_sim.schema import SCHEMA_STEPS
from sqlport import DatabaseError, open_database
from tests.databases import database_url, postgres, postgres_url  # noqa: F401 - fixtures

PAYMENT = (
    "INSERT INTO payments (id, reference, order_number, amount_minor, currency, payment_method, "
    "metadata, status, sequence, created_at, due_at, details) "
    "VALUES (?, ?, ?, 100, 'EUR', 'card', '{}', 'succeeded', 2, 0, NULL, '{}')"
)


@pytest.fixture
async def database(database_url):  # noqa: F811
    database = await open_database(database_url)
    yield database
    await database.close()


async def test_a_database_of_the_first_version_keeps_what_it_holds(database):
    # The first version made its tables without counting steps.
    await database.apply_schema(SCHEMA_STEPS[0])
    async with database.transaction() as transaction:
        for number, reference in ((1, "a"), (2, "b"), (1, "a")):
            position = await transaction.fetch_one("SELECT COUNT(*) AS number FROM payments")
            await transaction.execute(PAYMENT, f"pay_{position['number']}", reference, number)
        await transaction.execute(
            "INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, attempts_before) "
            "VALUES ('dlv_1', 'evt_1', 'we_1', 'sending', 1, 0)"
        )
    await database.migrate(SCHEMA_STEPS)
    async with database.transaction() as transaction:
        delivery = await transaction.fetch_one("SELECT state, attempts, claims FROM deliveries")
        assert tuple(delivery[each] for each in ("state", "attempts", "claims")) == (
            "sending",
            1,
            0,
        )
        numbers = [await store.order_number_of(transaction, each) for each in "abc"]
    assert numbers == [1, 2, 3]


async def test_a_secret_whose_overlap_began_in_an_older_version_goes_on_signing(database):
    await database.migrate(SCHEMA_STEPS[:2])
    async with database.transaction() as transaction:
        await transaction.execute(
            "INSERT INTO webhook_endpoints (id, url, secret, previous_secret, "
            "previous_secret_until, events, status, created_at, dialect, failures) VALUES "
            "('we_1', 'http://127.0.0.1/', 'new', 'old', 100.5, '[]', 'enabled', 0, 'standard', 0)"
        )
    await database.migrate(SCHEMA_STEPS)
    async with database.transaction() as transaction:
        endpoint = await endpoint_by_id(transaction, "we_1")
        assert endpoint.secrets_at(100.0) == ("new", "old")
        rotated = endpoint.with_new_secret("newer", 50.25, 10.0)
        await save_endpoint(transaction, rotated)
        assert await endpoint_by_id(transaction, "we_1") == rotated
    assert rotated.secrets_at(60.0) == ("newer", "new", "old")


async def test_several_that_start_together_take_turns(database_url):  # noqa: F811
    if database_url.startswith("sqlite"):
        pytest.skip("a file is open for one process alone")
    databases = [await open_database(database_url) for _ in range(3)]
    await asyncio.gather(*(database.migrate(SCHEMA_STEPS) for database in databases))
    for database in databases:
        await database.migrate(SCHEMA_STEPS)
        await database.close()


async def test_a_database_of_a_later_version_is_refused(database):
    await database.migrate((*SCHEMA_STEPS, "CREATE TABLE of_tomorrow (id INTEGER)"))
    with pytest.raises(DatabaseError, match="newer version"):
        await database.migrate(SCHEMA_STEPS)
