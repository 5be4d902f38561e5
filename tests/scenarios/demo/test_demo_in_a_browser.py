"""The whole tour by keyboard and every knob by its consequence, in a real browser.

``DEMO_SOAK_S=600`` lets the last test watch ten minutes of traffic; see docs/demo.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from scenarios.demo.tour import TOUR
from tests.programs import program
from tests.scenarios.demo.stand import demo
from tests.shop.storefront.test_in_a_browser import ARGUMENTS

pytestmark = pytest.mark.live
PATIENCE_MS = 90_000
LOOK_EVERY_MS = 200
LOOKS_MAX = 600
SOAK_S = float(os.environ.get("DEMO_SOAK_S", "3"))
HEAP_GROWTH_MAX_BYTES = 30_000_000


@asynccontextmanager
async def _page(url: str, **options: object) -> AsyncIterator[Page]:
    """A page that must say nothing on its console and call nobody but the demo."""
    trouble: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"),
            args=[*ARGUMENTS, "--enable-precise-memory-info"],
            timeout=PATIENCE_MS,
        )
        page = await browser.new_page(**options)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: trouble.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "request",
            lambda asked: asked.url.startswith((url, "data:")) or trouble.append(asked.url),
        )
        await page.goto(url)
        await _until(page, "polling.questions", lambda n: n > 0)
        yield page
        await browser.close()
    assert not trouble


async def _wait(page: Page, selector: str, is_there: Callable[[str], bool]) -> None:
    """Look until a text is as wanted. From here, since the page's policy lets nobody evaluate."""
    for _ in range(LOOKS_MAX):
        if is_there(text := await page.inner_text(selector)):
            return
        await page.wait_for_timeout(LOOK_EVERY_MS)
    raise AssertionError(f"{selector} is still {text!r}")


async def _until(page: Page, counter: str, is_enough: Callable[[float], bool]) -> None:
    """Wait until a counter such as ``webhooks.stuck`` is as wanted."""
    await _wait(
        page, f'[data-count="{counter}"]', lambda text: is_enough(float(text.replace("–", "0")))
    )


async def _says(page: Page, title: str) -> None:
    await _wait(page, "#title", title.__eq__)


async def _count(page: Page, counter: str) -> int:
    return int(await page.inner_text(f'[data-count="{counter}"]'))


async def _turn(page: Page, **knobs: float) -> None:
    for name, value in knobs.items():
        await page.locator(f"#{name}").fill(str(value))
        await page.locator(f"#{name}").dispatch_event("change")


async def _nothing_sticks_out(page: Page) -> None:
    assert await page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


async def test_the_tour_by_keyboard_and_every_knob_with_its_consequence(tmp_path: Path) -> None:
    async with demo(tmp_path) as running:
        light = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "light"}
        async with _page(running.url, **light) as page:
            await _take_the_tour(page)
            await _nothing_sticks_out(page)
            assert await page.evaluate("innerHeight >= document.body.scrollHeight"), "no scrolling"
        phone = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
        async with _page(running.url, **phone) as page:
            await _turn_every_knob(page)
            await _nothing_sticks_out(page)
            await _watch_it_stay_small(page)


async def _take_the_tour(page: Page) -> None:
    consequences = {
        "A lost webhook": "webhooks.stuck",
        "A duplicate": "webhooks.shipped_twice",
        "A forged webhook": "webhooks.refused",
    }
    for number, step in enumerate(TOUR, start=1):
        await page.keyboard.press("ArrowRight")
        await _says(page, f"{number}. {step.title}")
        assert await page.inner_text("#sentence") == step.sentence
        if step.title == "An outage":
            await page.wait_for_selector("#outage:visible")
            await page.wait_for_selector("#outage", state="hidden")
        if step.title in consequences:
            await _until(page, consequences[step.title], lambda n: n > 0)
    assert await _count(page, "reconciliation.shipped_twice") == 0
    assert await _count(page, "reconciliation.refused") > 0
    await page.keyboard.press("ArrowLeft")
    await _says(page, "5. An outage")
    await page.keyboard.press("1")
    await _says(page, "1. Calm")


async def _turn_every_knob(page: Page) -> None:
    asked = await _count(page, "polling.wasted")
    await _turn(page, settlement_s=15, polling_interval_s=0.5, customers_per_minute=120)
    await page.click("#act-burst")
    await _until(page, "polling.wasted", lambda n: n > asked + 60)
    await _turn(page, settlement_s=0, delay_s=12, polling_interval_s=3)
    await _until(page, "webhooks.staleness_s", lambda n: n > 5)
    await _turn(page, delay_s=0, drop_percent=100)
    await _until(page, "webhooks.stuck", lambda n: n > 3)
    twice = await _count(page, "webhooks.shipped_twice")
    await _turn(page, drop_percent=0, duplicate_percent=100)
    await _until(page, "webhooks.shipped_twice", lambda n: n > twice)
    refused = await _count(page, "reconciliation.refused")
    await _turn(page, duplicate_percent=0)
    await page.click("#wrong_url")
    await _until(page, "reconciliation.refused", lambda n: n > refused + 1)
    await page.click("#wrong_url")
    await page.click("#act-forge")
    await page.click("#act-outage")
    await page.wait_for_selector("#outage:visible")
    await page.wait_for_selector("#outage", state="hidden")


async def _watch_it_stay_small(page: Page) -> None:
    heap = "performance.memory.usedJSHeapSize"
    before = await page.evaluate(heap)
    await page.wait_for_timeout(SOAK_S * 1000)
    grown = await page.evaluate(heap) - before
    frames = await page.evaluate("window.Wires.frameTimes()")
    measured = f"{SOAK_S:g} s: frames {frames} ms, heap grown by {grown / 1e6:.1f} MB\n"
    sys.stderr.write(measured)
    assert frames["p50"] > 0
    assert grown < HEAP_GROWTH_MAX_BYTES
    assert await page.evaluate("window.Wires.count()") <= 250
