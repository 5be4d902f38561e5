"""What the loop leaves out to be fast: waits that nobody could notice, text that nobody reads."""

import asyncio
import sys
import traceback

from scenarios.world import World


def test_time_is_skipped_only_if_nothing_else_could_happen_meanwhile() -> None:
    world = World(1)
    skipped: list[bool] = []

    async def main() -> None:
        loop = world.loop
        skipped.append(loop.skip_us(1000))  # nothing is planned
        timer = loop.call_later(0.005, lambda: None)
        skipped.append(loop.skip_us(4999))  # until just before the timer
        skipped.append(loop.skip_us(1))  # the timer is as early
        loop.call_soon(lambda: None)
        skipped.append(loop.skip_us(0))  # somebody else is ready
        timer.cancel()
        await asyncio.sleep(0)
        world.loop.limit_us = world.loop.now_us + 1
        skipped.append(loop.skip_us(2))  # the run would be over

    world.run(main())
    assert skipped == [True, True, False, False, False]
    assert world.loop.now_us == 5999


def test_what_is_closed_at_the_end_reads_no_source_for_a_traceback() -> None:
    texts: list[str] = []
    world = World(1)

    async def wait_for_ever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            texts.append(traceback.format_exc())

    async def main() -> None:
        world.loop.create_task(wait_for_ever())
        await asyncio.sleep(1)

    world.run(main())
    assert [text.strip().splitlines()[-1] for text in texts] == ["GeneratorExit"]
    assert "File" not in texts[0]
    assert not hasattr(sys, "tracebacklimit")
