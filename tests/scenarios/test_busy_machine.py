"""A machine that is too busy to answer the harness for a moment does not end a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import httpx

from scenarios.play import _last
from scenarios.scenario_files import select
from tests.scenarios.test_rest import Scene


class BusyScene(Scene):
    """Its provider leaves the first questions after the faults without an answer."""

    asked = 0

    async def get(self, _: str) -> dict[str, Any]:
        self.asked += 1
        if self.asked < 3:
            raise httpx.ReadTimeout("no answer came in time")
        return {"data": []}


async def test_a_question_without_an_answer_is_asked_again() -> None:
    scene = BusyScene(status="fulfilled")
    rest = scene.rest()
    stage = replace(rest._stage, patience=rest._patience, time_scale=1000.0)
    calm = replace(select(["calm"])[0], orders=0)
    await _last(calm, stage, cast(Any, []))
    assert scene.asked == 3
