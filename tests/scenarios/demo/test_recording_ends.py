"""Whoever stops a recording is heard, whatever comes in the same moment."""

from __future__ import annotations

import asyncio

import pytest

from scenarios.demo.run_demo import next_message


async def test_a_stop_in_the_moment_of_a_message_is_not_lost() -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    waiting = asyncio.create_task(next_message(queue))
    await asyncio.sleep(0)
    queue.put_nowait("numbers")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_message_is_waited_for_and_then_given_up() -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    assert await next_message(queue, within_s=0.001) is None
    queue.put_nowait("numbers")
    assert await next_message(queue) == "numbers"
