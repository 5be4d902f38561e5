"""What the book of faults remembers of calls, and for how long."""

import pytest

from psp_sim import fault_book
from psp_sim.domain.chance import Chance
from psp_sim.fault_book import FaultBook
from sqlport import open_database


@pytest.fixture
async def book():
    database = await open_database("sqlite:///:memory:")
    yield FaultBook(database, Chance(1))
    await database.close()


async def test_calls_are_counted_by_operation_and_subject(book):
    assert [book.count_call("create_payment", "o1") for _ in range(3)] == [1, 2, 3]
    assert book.count_call("create_payment", "o2") == 1
    assert book.count_call("read_payment", "o1") == 1


async def test_of_very_many_orders_those_called_longest_ago_are_forgotten(book, monkeypatch):
    monkeypatch.setattr(fault_book, "CALLS_REMEMBERED", 3)
    for order in ("o1", "o2", "o3", "o1", "o4"):
        book.count_call("create_payment", order)
    assert book.count_call("create_payment", "o1") == 3
    assert book.count_call("create_payment", "o2") == 1
    assert len(book._calls) == 3
