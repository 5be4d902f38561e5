"""An answer within a time, also from who does not end when asked to."""

import asyncio

import pytest

from sqlport import soon


async def divide(by):
    await asyncio.sleep(0)
    return 6 / by


async def test_what_ends_in_time_gives_its_answer_or_its_error():
    assert await soon(divide(2), 60.0) == 3
    with pytest.raises(ZeroDivisionError):
        await soon(divide(0), 60.0)


async def test_what_does_not_end_when_it_is_cancelled_is_left_behind():
    heard_of_the_server, ended = asyncio.Event(), asyncio.Event()

    async def be_stubborn():
        try:
            await asyncio.Event().wait()
        finally:
            await heard_of_the_server.wait()
            ended.set()

    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            await soon(be_stubborn(), 0.01)
        assert not ended.is_set()
        heard_of_the_server.set()
        await ended.wait()


async def test_who_no_longer_wants_the_answer_ends_the_work_with_it():
    began, ended = asyncio.Event(), asyncio.Event()

    async def wait():
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    asking = asyncio.create_task(soon(wait(), 3600.0))
    await began.wait()
    asking.cancel()
    async with asyncio.timeout(60):
        await ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await asking
