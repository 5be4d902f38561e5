"""The page in the presenter's hands: clickers, a lost server, numbers that there are not yet."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Page

from psp_sim.server import bind
from scenarios.demo.lane import Lane
from tests.scenarios.demo.pages import Stage, page_of, says, served, until

pytestmark = pytest.mark.live
READABLE_PX = 16
CONTRAST_MIN = 4.5
READ_FROM_AFAR = ("dt", "dd", "figcaption", "label", "output", "footer span", "button", "#sentence")


async def test_a_clicker_drives_the_tour_whatever_has_the_focus() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url) as page:
        await page.wait_for_selector("#settlement_s")
        for focused in ("#settlement_s", "#wrong_url", "#act-burst"):
            await page.focus(focused)
            stage.steps.clear()
            await page.keyboard.press("1")
            await page.keyboard.press("PageDown")
            await page.keyboard.press("PageDown")
            await page.keyboard.press("PageUp")
            await until(page, lambda: stage.steps == [0, 1, 2, 1], f"the tour with {focused}")
        assert stage.knobs.settlement_s == 4.0
        await page.focus("#settlement_s")
        await page.keyboard.press("ArrowRight")
        await until(page, lambda: stage.knobs.settlement_s == 4.5, "the arrow turns the knob")
        assert stage.steps == [0, 1, 2, 1]
        assert not page.trouble


async def test_two_quick_presses_are_two_steps() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url) as page:
        await page.wait_for_selector("#settlement_s")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await until(page, lambda: stage.steps == [0, 1, 2], "three steps")
        await says(page, "#title", "3. A lost webhook")
        await until(page, lambda: stage.step == 2, "it is there")
        await page.keyboard.press("ArrowLeft")
        await until(page, lambda: stage.steps == [0, 1, 2, 1], "one back")


@asynccontextmanager
async def page_of_a_server_that_ends(bound: socket.socket) -> AsyncIterator[Page]:
    """A page whose server has gone since."""
    async with AsyncExitStack() as stack:
        async with served(Stage(), bound) as url:
            page = await stack.enter_async_context(page_of(url))
            await page.wait_for_selector("#settlement_s")
            assert await page.is_hidden("#lost")
        yield page


async def test_a_lost_server_is_seen_and_so_is_its_return() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        async with page_of_a_server_that_ends(first) as page:
            await page.wait_for_selector("#lost:visible")
            assert "lost" in await page.inner_text("#lost")
            await page.keyboard.press("ArrowRight")
            await page.click("#act-burst")
            stage = Stage()
            with bind("127.0.0.1", port) as second:
                async with served(stage, second):
                    await page.wait_for_selector("#lost", state="hidden")
                    await page.keyboard.press("1")
                    await until(page, lambda: 0 in stage.steps, "it is heard again")
            assert not [said for said in page.trouble if said.startswith("thrown")]


def test_nothing_is_late_before_anything_has_settled() -> None:
    lane = Lane("webhooks", "Webhooks")
    assert lane.as_json(0.0)["staleness_s"] is None
    lane.placed("one", 0.0)
    assert lane.as_json(1.0)["staleness_s"] is None
    lane.settled("one", 2.0)
    assert lane.as_json(2.5)["staleness_s"] == 0.5
    lane.shipped("one", 3.0)
    assert lane.as_json(9.0)["staleness_s"] == 1.0


async def test_the_page_shows_a_dash_for_what_is_not_known_yet() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url) as page:
        await says(page, '[data-count="polling.staleness_s"]', "–")
        lane = stage.services[0].lane
        lane.placed("one", 90.0)
        lane.settled("one", 92.0)
        lane.shipped("one", 93.5)
        await says(page, '[data-count="polling.staleness_s"]', "1.50")
        assert not page.trouble


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fills_a_projector_and_can_be_read_from_afar(size, scheme) -> None:
    viewport = {"width": size[0], "height": size[1]}
    stage = Stage()
    stage.services[0].lane.asked("wasted")
    async with (
        served(stage) as url,
        page_of(url, viewport=viewport, color_scheme=scheme) as page,
    ):
        await says(page, '[data-count="polling.wasted"]', "1")
        await page.wait_for_selector("#staleness .xtick text")
        footer = await page.evaluate(
            "document.querySelector('footer').getBoundingClientRect().bottom"
        )
        assert size[1] - 8 <= footer <= size[1]
        sizes = await page.evaluate(SIZES_PX, [*READ_FROM_AFAR, "#staleness .xtick text"])
        assert not {what: px for what, px in sizes.items() if px < READABLE_PX}
        assert await page.evaluate(CONTRAST) >= CONTRAST_MIN


async def test_curves_begin_at_the_left_and_have_room_to_grow() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url) as page:
        await page.wait_for_selector("#rate .xtick text")
        ticks = await page.locator("#rate .xtick").all_text_contents()
        assert ticks[0] == "0 s"
        assert ticks[-1] == "10 s"


async def test_on_a_phone_nothing_covers_the_curves() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url, viewport={"width": 390, "height": 844}) as page:
        await page.wait_for_selector("#rate .xtick text")
        assert await page.evaluate(COVERED) == []


async def test_curves_that_lie_on_each_other_can_be_told_apart() -> None:
    stage = Stage()
    async with served(stage) as url, page_of(url) as page:
        await page.wait_for_selector("#rate .xtick text")
        await until(page, lambda: page.locator("#rate .js-line").count(), "a line")
        looks = await page.evaluate(
            "[...document.querySelectorAll('#rate .js-line')].map("
            "(line) => line.style.strokeWidth + ' ' + line.style.strokeDasharray)"
        )
        assert len(set(looks)) == len(looks) == 3


SIZES_PX = """(selectors) => Object.fromEntries(selectors.flatMap((selector) =>
  [...document.querySelectorAll(selector)].map((one) =>
    [`${selector} ${one.textContent}`, parseFloat(getComputedStyle(one).fontSize)])))"""

CONTRAST = """() => {
  const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map((n) => n / 255)
    .map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
    .reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
  const cell = document.querySelector('[data-count="polling.wasted"]');
  const lane = cell.closest(".lane");
  const both = [getComputedStyle(cell).color, getComputedStyle(lane).backgroundColor].map(light);
  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""

COVERED = """() => [...document.querySelectorAll("figure")].filter((figure) => {
  const chart = figure.querySelector(".chart"), caption = figure.querySelector("figcaption");
  const isBelow = chart.getBoundingClientRect().top >= caption.getBoundingClientRect().bottom - 1;
  return chart.querySelector(".legend") || !isBelow;
}).map((figure) => figure.textContent)"""
