"""Which order a reference is: counted from 1, whether or not its request was carried out."""

import asyncio

import pytest

from psp_sim.schema import SCHEMA_STEPS
from psp_sim.store import order_number_of
from sqlport import open_database
from tests.databases import database_url, postgres, postgres_url  # noqa: F401 - fixtures


@pytest.fixture
async def database(database_url):  # noqa: F811
    database = await open_database(database_url)
    await database.migrate(SCHEMA_STEPS)
    yield database
    await database.close()


async def number_of(database, reference):
    async with database.transaction() as transaction:
        return await order_number_of(transaction, reference)


async def test_references_are_numbered_in_the_order_in_which_they_are_seen(database):
    assert [await number_of(database, reference) for reference in "abacb"] == [1, 2, 1, 3, 2]


async def test_a_reference_that_is_seen_twice_at_once_has_one_number(database):
    numbers = await asyncio.gather(*(number_of(database, reference) for reference in "aaaabbbb"))
    assert len(set(numbers[:4])) == len(set(numbers[4:])) == 1
    assert numbers[0] != numbers[4]
