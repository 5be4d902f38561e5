"""A machine that is too busy to answer the harness for a moment does not end a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import httpx

from scenarios.faults_in_force import FaultsInForce
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


class BusyControl:
    """A provider whose control API breaks the first connection of each kind off."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def call(self, method: str, _: str) -> tuple[int, Any]:
        self.asked.append(method)
        if self.asked.count(method) == 1:
            raise httpx.ReadError("connection closed before message completed")
        return 200, {"data": [{"id": "fault_1", "kind": "lose_response", "fired": 3}]}


async def test_faults_whose_lifting_is_not_answered_are_lifted_again() -> None:
    control, (scenario,) = BusyControl(), select(["lost_answers"])
    stage = replace(Scene(status="fulfilled").rest()._stage, provider=cast(Any, control))
    faults = FaultsInForce(replace(stage, time_scale=1000.0))
    faults._at_the_provider.append((scenario.faults[0], "fault_1"))
    fired = await faults.lift(scenario)
    assert control.asked == ["GET", "GET", "DELETE", "DELETE"]
    assert fired[0].fired == 3
