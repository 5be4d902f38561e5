"""The demo's page in a real browser without any shop: what is told to it is made up."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from playwright.async_api import Page, async_playwright

from scenarios.demo.http_page import create_page
from scenarios.demo.lane import Lane
from scenarios.demo.presenter import Presenter
from scenarios.demo.services import KINDS
from scenarios.targets.processes import serving
from tests.programs import program
from tests.shop.storefront.test_in_a_browser import ARGUMENTS

PATIENCE_MS = 60_000
LOOK_EVERY_MS = 50
LOOKS_MAX = 1200
WIDE = {"width": 1440, "height": 900}


class Stage(Presenter):
    """A presenter of shops that are not there. ``steps`` are what the page asked for."""

    def __init__(self) -> None:
        super().__init__(lambda: 100.0, random.Random(1))
        self.services = [shop_without_process(kind) for kind in KINDS]  # type: ignore[misc]
        self.steps: list[int] = []

    async def take(self, step: int) -> None:
        """Note it, as slowly as a provider that is busy."""
        self.steps.append(step)
        await asyncio.sleep(0.2)
        self.step = step

    async def turn(self, changes: Any) -> None:
        """Turn knobs without telling any provider."""
        self.knobs = self.knobs.turned(changes)


def shop_without_process(kind: Any) -> Any:
    """Return what a presenter asks of a shop when it tells of it."""
    return SimpleNamespace(
        lane=Lane(kind.name, kind.title), warehouse=SimpleNamespace(shipments=[])
    )


@asynccontextmanager
async def served(stage: Stage, bound: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve the page of a stage; give its address."""
    telling = asyncio.create_task(stage.broadcast())
    async with serving(create_page(stage), bound) as url:
        try:
            yield url
        finally:
            stage.end()
            telling.cancel()


@asynccontextmanager
async def page_of(url: str, **options: Any) -> AsyncIterator[Page]:
    """Open a page in a browser; ``page.trouble`` collects what it complains of."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium", "chromium"), args=ARGUMENTS, timeout=PATIENCE_MS
        )
        page = await browser.new_page(**{"viewport": WIDE, "color_scheme": "light", **options})
        page.set_default_timeout(PATIENCE_MS)
        page.trouble = []
        page.on("console", lambda said: page.trouble.append(said.text))
        page.on("pageerror", lambda error: page.trouble.append(f"thrown: {error}"))
        await page.goto(url)
        yield page
        await browser.close()


async def until(page: Page, is_so: Callable[[], Any], what: str) -> None:
    """Look until it is so."""
    for _ in range(LOOKS_MAX):
        found = is_so()
        if await found if asyncio.iscoroutine(found) else found:
            return
        await page.wait_for_timeout(LOOK_EVERY_MS)
    raise AssertionError(f"never: {what}")


async def says(page: Page, selector: str, text: str) -> None:
    """Wait until an element's text is as wanted."""

    async def does() -> bool:
        return await page.inner_text(selector) == text

    await until(page, does, f"{selector} says {text!r}")
