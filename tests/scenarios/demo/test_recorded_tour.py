"""A recorded tour shows in each step what its sentence says, and ends with everything made good."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scenarios.demo.presenter import BURST
from tests.scenarios.demo.stand import demo, is_alive

pytestmark = pytest.mark.live
CALM, A_BURST, LOST, DUPLICATE, OUTAGE, FORGED = range(6)
SHOPS = ("polling", "webhooks", "reconciliation")


class Recording:
    """What a recorded page was told, step by step."""

    def __init__(self, page: str) -> None:
        found = re.search(r'<script type="application/json" id="recording">(.*?)</script>', page)
        assert found
        told = json.loads(found[1].replace("<\\/", "</"))
        self.numbers = [one["numbers"] for _, one in told["messages"] if "numbers" in one]

    def of(self, step: int, shop: str, count: str) -> list[Any]:
        """Return how a count went during a step."""
        return [one["lanes"][shop][count] for one in self.numbers if one["step"] == step]

    def grown(self, step: int, shop: str, count: str) -> float:
        """Return by how much it grew, from what was told last before the step."""
        before = self.of(step - 1, shop, count)[-1:] or self.of(step, shop, count)[:1]
        return float(self.of(step, shop, count)[-1] - before[0])


# Twice the shortest: where many tests share two cores, a burst takes polling some seconds.
async def test_a_recording_shows_what_its_sentences_say(tmp_path: Path) -> None:
    async with demo(tmp_path, ("--for", "40s", "--html", "tour.html")) as running:
        assert await running.end() == 0, running.said
        assert not [pid for pid in running.children if is_alive(pid)]
    page = (tmp_path / "tour.html").read_text()
    assert 'src="/' not in page
    assert "script-src 'sha256-" in page
    recording = Recording(page)
    assert recording.grown(CALM, "polling", "wasted") > 0
    for shop in SHOPS:
        assert recording.of(CALM, shop, "shipped")[0] > 0, "warm from the beginning"
        assert recording.grown(CALM, shop, "shipped") > 0
        assert recording.grown(A_BURST, shop, "shipped") >= BURST
        assert recording.of(FORGED, shop, "stuck")[-1] == 0
        assert recording.of(FORGED, shop, "unknown")[-1] == 0
    _loses_and_makes_good(recording)
    _is_away_and_comes_back(recording)
    assert recording.grown(DUPLICATE, "webhooks", "shipped_twice") > 0
    assert recording.of(FORGED, "reconciliation", "shipped_twice")[-1] == 0
    assert recording.grown(FORGED, "webhooks", "refused") > 0
    assert recording.grown(FORGED, "reconciliation", "refused") > 0


def _loses_and_makes_good(recording: Recording) -> None:
    assert max(recording.of(LOST, "webhooks", "stuck")) >= BURST
    assert recording.grown(LOST, "reconciliation", "shipped") >= BURST / 2
    assert recording.of(DUPLICATE, "webhooks", "stuck")[-1] == 0
    assert recording.of(DUPLICATE, "reconciliation", "stuck")[-1] == 0


def _is_away_and_comes_back(recording: Recording) -> None:
    away = [one["outage"] for one in recording.numbers if one["step"] == OUTAGE]
    assert True in away
    assert not away[-1], "back before the step ends"
    at_the_worst = max(recording.of(OUTAGE, "webhooks", "staleness_s"))
    assert at_the_worst > recording.of(OUTAGE, "webhooks", "staleness_s")[-1]
    for shop in SHOPS:
        assert recording.of(OUTAGE, shop, "stuck")[-1] == 0
        assert recording.grown(OUTAGE, shop, "shipped") > 0


async def test_a_time_too_short_for_the_tour_is_refused(tmp_path: Path) -> None:
    async with demo(tmp_path, ("--for", "19s")) as running:
        assert await running.end() == 2
    assert "--for 19s is too short" in running.said
    assert "20s" in running.said
