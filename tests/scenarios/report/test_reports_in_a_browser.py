"""The report of a run on a screen: what is wide scrolls in its own box, never the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from scenarios.report.html import OPEN_STORIES, html_report
from scenarios.report.story import Told
from tests.programs import program
from tests.scenarios.report.test_reports import played
from tests.shop.storefront.test_in_a_browser import ARGUMENTS

BESIDE = "document.documentElement.scrollWidth - innerWidth"
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"

HIDDEN = """[...document.querySelectorAll('details.story pre')].filter(each =>
  !each.checkVisibility({contentVisibilityAuto: true})).length"""
GROUND = "getComputedStyle(document.querySelector('.sequence .back')).fill"


@pytest.fixture
def many_failures() -> Told:
    told = played("duplicated_webhooks", shop="no_dedupe")
    results = [replace(told.results[0], name=f"number {n}") for n in range(OPEN_STORIES + 1)]
    return replace(told, results=results)


@pytest.fixture
def long_names() -> Told:
    told = played("slow_answers_cross_webhooks", "duplicated_webhooks", shop="no_dedupe")
    replay = f"reports/no_dedupe-{'slow_answers_cross_webhooks' * 2}.json"
    return replace(told, results=[replace(each, replay=replay) for each in told.results])


@pytest.fixture
def longest_name() -> Told:
    told = played("duplicated_webhooks", shop="no_dedupe")
    return replace(told, results=[replace(each, name="n" * 180) for each in told.results])


@pytest.mark.live
async def test_on_paper_a_story_is_unfolded_and_its_diagram_light(
    tmp_path: Path, many_failures: Told
) -> None:
    file = tmp_path / "report.html"
    file.write_text(html_report(many_failures), encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS
        )
        page = await browser.new_page(color_scheme="dark")
        await page.goto(file.as_uri())
        assert await page.evaluate(HIDDEN) > 0
        await page.emulate_media(media="print")
        await page.wait_for_function(f"{HIDDEN} === 0")  # it unfolds in its own time
        assert await page.evaluate(GROUND) == "rgb(255, 255, 255)"
        await browser.close()


@pytest.mark.live
@pytest.mark.parametrize(("names", "width"), [("long_names", 320), ("longest_name", 1440)])
async def test_the_page_fits_the_screen_folded_and_unfolded(
    names: str, width: int, tmp_path: Path, long_names: Told, longest_name: Told
) -> None:
    told = {"long_names": long_names, "longest_name": longest_name}[names]
    file = tmp_path / "report.html"
    file.write_text(html_report(told), encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS
        )
        page = await browser.new_page(viewport={"width": width, "height": 800})
        await page.goto(file.as_uri())
        folded = await page.evaluate(BESIDE)
        await page.evaluate(UNFOLD)
        unfolded = await page.evaluate(BESIDE)
        await browser.close()
    assert (folded, unfolded) == (0, 0)
