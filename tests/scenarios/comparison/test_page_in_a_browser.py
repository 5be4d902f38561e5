"""The page of a comparison on a narrow screen, on paper, and in colours that can be told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from scenarios.comparison import charts
from scenarios.comparison.compare import Result, Run, watch_run
from scenarios.comparison.document import comparison_document
from scenarios.comparison.page import page_of
from scenarios.comparison.strategies import STRATEGIES
from scenarios.comparison.weather import weather_named
from scenarios.comparison.workload import Workload
from tests.programs import program
from tests.shop.storefront.test_in_a_browser import ARGUMENTS

PAPERS = ("#ffffff", "#15171a")
BESIDE = "document.documentElement.scrollWidth - innerWidth"
GAPS = """[...document.querySelectorAll('[data-chart]')].map(chart =>
  chart.querySelector('.legend .bg').getBoundingClientRect().top
  - chart.querySelector('.xtitle').getBoundingClientRect().bottom)"""
CUT = """[...document.querySelectorAll('.wide, .chart')].filter(each =>
  each.getBoundingClientRect().right > innerWidth || (each.scrollWidth > each.clientWidth
  && getComputedStyle(each).overflowX !== 'visible')).length"""
FOLDED = """[...document.querySelectorAll('details li')].filter(each =>
  !each.checkVisibility({contentVisibilityAuto: true})).length"""
INK = "getComputedStyle(document.querySelector('.xtitle')).fill"
BEFORE_PRINT = "window.dispatchEvent(new Event('beforeprint'))"


@pytest.fixture(scope="module")
def played() -> list[Result]:
    workload = Workload(10, 1)
    weather = weather_named("blackout", workload.window_s)
    return [watch_run(Run(strategy, workload, weather)) for strategy in STRATEGIES]


@asynccontextmanager
async def opened(folder: Path, played: list[Result], **context: Any) -> AsyncIterator[Page]:
    file = folder / "compare.html"
    document = comparison_document(played, [], 1, "sim")
    file.write_text(page_of(played, [], document), encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS
        )
        page = await browser.new_page(**context)
        await page.goto(file.as_uri())
        yield page
        await browser.close()


@pytest.mark.live
async def test_on_a_narrow_screen_the_legend_leaves_room_for_the_axis(tmp_path, played) -> None:
    async with opened(tmp_path, played, viewport={"width": 390, "height": 800}) as page:
        gaps, beside = await page.evaluate(GAPS), await page.evaluate(BESIDE)
    assert len(gaps) == 4
    assert min(gaps) >= 0
    assert beside == 0


@pytest.mark.live
async def test_on_paper_nothing_is_cut_folded_or_light_on_dark(tmp_path, played) -> None:
    async with opened(tmp_path, played, color_scheme="dark") as page:
        assert await page.evaluate(INK) == "rgb(232, 232, 232)"
        assert await page.evaluate(FOLDED) > 0
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 1047, "height": 720})
        await page.evaluate(BEFORE_PRINT)
        assert await page.evaluate(BESIDE) == 0
        assert await page.evaluate(CUT) == 0
        await page.wait_for_function(f"{FOLDED} === 0")  # it unfolds in its own time
        assert await page.evaluate(INK) == "rgb(28, 28, 28)"


def luminance(colour: str) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_line_stands_out_from_both_papers() -> None:
    for colour, _, _ in charts.STYLES:
        for paper in PAPERS:
            low, high = sorted((luminance(colour), luminance(paper)))
            assert (high + 0.05) / (low + 0.05) >= 3, (colour, paper)


def test_each_strategy_has_its_own_colour_and_marker_and_those_that_listen_a_dash() -> None:
    assert len(charts.STYLES) == len(STRATEGIES)
    assert len({colour for colour, _, _ in charts.STYLES}) == len(STRATEGIES)
    assert len({marker for _, _, marker in charts.STYLES}) == len(STRATEGIES)
    told = [
        style
        for strategy, style in zip(STRATEGIES, charts.STYLES, strict=True)
        if strategy.needs_public_address
    ]
    asking = [style for style in charts.STYLES if style not in told]
    for one, other in combinations(told, 2):
        assert one[1] != other[1]
    assert not {dash for _, dash, _ in told} & {dash for _, dash, _ in asking}
