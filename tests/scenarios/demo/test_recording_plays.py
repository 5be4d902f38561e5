"""A recording is a film: it says so, stands still, goes to any step, and no control is dead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from scenarios.demo.lane import Lane
from scenarios.demo.pace import Pace
from scenarios.demo.recording import recording_page
from tests.scenarios.demo.pages import Stage, page_of, says, until

pytestmark = pytest.mark.live
STEP_S = 20.0
LABEL = "recording, 2.0 times as quick as live: payments settle after 2 s, polling every 1.5 s"


def _recorded(folder: Path) -> str:
    """Write a recording of six steps in which every shop has shipped 10 orders more each time."""
    stage = Stage()
    messages: list[tuple[float, Any]] = []
    for step in range(6):
        stage.step = step
        for each in stage.services:
            _ship(each.lane, 10)
        messages.append((step * STEP_S, {"numbers": stage.numbers()}))
        messages.append((step * STEP_S + 1, {"packets": [["polling", "question", "wasted"]]}))
    messages.append((6 * STEP_S, {"numbers": stage.numbers()}))
    path = folder / "tour.html"
    path.write_text(recording_page(messages, Pace(0.5)))
    return path.as_uri()


def _ship(lane: Lane, orders: int) -> None:
    for _ in range(orders):
        number = str(len(lane.orders))
        lane.placed(number, 1.0)
        lane.settled(number, 2.0)
        lane.shipped(number, 3.0)


async def _shipped(page: Page, orders: int) -> None:
    await says(page, '[data-count="webhooks.shipped"]', str(orders))


async def test_it_says_what_it_is_and_shows_no_knobs(tmp_path: Path) -> None:
    async with page_of(_recorded(tmp_path)) as page:
        await says(page, "#recorded", LABEL)
        assert await page.is_hidden("#settlement_s")
        assert await page.is_hidden("#act-burst")
        assert await page.is_hidden("#lost")
        assert not page.trouble


async def test_every_way_to_a_step_goes_there(tmp_path: Path) -> None:
    async with page_of(_recorded(tmp_path)) as page:
        await says(page, "#title", "1. Calm")
        for press, title, shipped in [
            ("4", "4. A duplicate", 40),
            ("PageDown", "5. An outage", 50),
            ("ArrowLeft", "4. A duplicate", 40),
            ("1", "1. Calm", 10),
        ]:
            await page.keyboard.press(press)
            await says(page, "#title", title)
            await _shipped(page, shipped)
        await page.click("#steps li:nth-child(6) button")
        await says(page, "#title", "6. A forged webhook")
        await _shipped(page, 60)
        assert not page.trouble


async def test_it_stands_still_goes_on_and_begins_again(tmp_path: Path) -> None:
    async with page_of(_recorded(tmp_path)) as page:
        await page.clock.install()
        await page.reload()
        await says(page, "#play", "pause")
        await page.click("#play")
        await says(page, "#play", "play")
        await page.clock.run_for(1000 * STEP_S * 7)
        await says(page, "#title", "1. Calm")
        await page.keyboard.press(" ")
        await says(page, "#play", "pause")
        await page.clock.run_for(1000 * STEP_S)
        await says(page, "#title", "2. A burst")
        await page.clock.run_for(1000 * STEP_S * 6)
        await says(page, "#title", "6. A forged webhook")
        await says(page, "#play", "again")
        await page.click("#play")
        await says(page, "#title", "1. Calm")
        await says(page, "#play", "pause")
        assert not page.trouble


async def test_a_film_that_stands_still_shows_the_curves_up_to_there(tmp_path: Path) -> None:
    async with page_of(_recorded(tmp_path)) as page:
        await page.click("#play")
        await page.keyboard.press("5")
        await until(page, lambda: page.locator("#staleness .js-line").count(), "curves")
        await says(page, "#clock", f"{4 * STEP_S:.0f} of {6 * STEP_S:.0f} s")
        await says(page, "#play", "play")
