"""Attempts that end together are stored together; what cannot be stored takes no other along."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from psp_sim import record_deliveries
from psp_sim.bell import Bell
from psp_sim.record_deliveries import Recorder


class Books:
    """Stands for the database: which attempts each transaction has stored."""

    def __init__(self, others=None):
        self.others, self.stored, self.at_once, self.at_once_max = others, [], 0, 0

    @asynccontextmanager
    async def transaction(self):
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        written = []
        try:
            yield written
            await asyncio.sleep(0.001)
            self.stored.append(written)
        finally:
            self.at_once -= 1


@pytest.fixture
def write(monkeypatch):
    async def record(_, transaction, job, attempts):
        if job == "broken":
            raise ValueError("a bug of ours")
        transaction.append((job, *attempts))
        return job == "waits"

    monkeypatch.setattr(record_deliveries, "_record", record)


def recorder_of(books):
    bells = {"delivery_changed": Bell(), "delivery_due": Bell()}
    return Recorder(SimpleNamespace(database=books, **bells)), bells


async def recorded(recorder, *jobs):
    made = [recorder.record(job, [1]) for job in jobs]
    async with asyncio.timeout(20):
        return await asyncio.gather(*made, return_exceptions=True)


async def test_what_ends_in_one_turn_of_the_loop_is_stored_in_one_transaction(write):
    books = Books()
    recorder, _ = recorder_of(books)
    assert await recorded(recorder, "a", "b", "c") == [None] * 3
    assert await recorded(recorder, "d") == [None]
    assert books.stored == [[("a", 1), ("b", 1), ("c", 1)], [("d", 1)]]


async def test_what_cannot_be_stored_fails_alone(write):
    books = Books()
    recorder, _ = recorder_of(books)
    first, broken, last = await recorded(recorder, "a", "broken", "b")
    assert (first, str(broken), last) == (None, "a bug of ours", None)
    assert books.stored == [[("a", 1)], [("b", 1)]]


async def test_with_other_processes_each_is_stored_by_itself_and_all_at_once(write):
    books = Books(others=object())
    recorder, _ = recorder_of(books)
    assert await recorded(recorder, "a", "b", "c") == [None] * 3
    assert sorted(books.stored) == [[("a", 1)], [("b", 1)], [("c", 1)]]
    assert books.at_once_max == 3


async def test_whoever_waits_for_deliveries_is_woken_once_they_are_stored(write):
    recorder, bells = recorder_of(Books())
    changed, due = (bells[name].next_ring() for name in ("delivery_changed", "delivery_due"))
    await recorded(recorder, "a")
    assert (changed.is_set(), due.is_set()) == (True, False)
    await recorded(recorder, "a", "waits")
    assert due.is_set()


async def test_what_is_being_stored_is_waited_for_though_who_asked_was_cancelled(write):
    books = Books()
    recorder, _ = recorder_of(books)
    asked = asyncio.create_task(recorder.record("a", [1]))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await recorder.finish()
    assert books.stored == [[("a", 1)]]
