"""Two knobs turned at the same moment are both turned."""

from __future__ import annotations

import asyncio
import random

from scenarios.demo.presenter import Presenter


async def test_a_knob_turned_while_another_is_being_turned_is_not_turned_back() -> None:
    presenter = Presenter(lambda: 0.0, random.Random(1))
    async with presenter._turning:
        first = asyncio.create_task(presenter.turn({"wrong_url": True}))
        second = asyncio.create_task(presenter.turn({"drop_percent": 40.0}))
        await asyncio.sleep(0)
    await asyncio.gather(first, second)
    assert presenter.knobs.wrong_url
    assert presenter.knobs.drop_percent == 40.0
