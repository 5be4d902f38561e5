"""The dashboard as a person uses it, by keyboard alone, in a real browser."""

import re

import pytest

from tests.programs import program
from tests.psp_sim.processes import (
    PATIENCE_S,
    announcement,
    client_of,
    provider_process,
    real_sink,
    until,
)
from tests.psp_sim.stand import Reply, payment_body

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.live

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
expect = playwright.expect
expect.set_options(timeout=PATIENCE_S * 1000)
EVIL = "<img src=x onerror=document.title='broken-in'>"


@pytest.fixture
async def browser():
    chromium = program("chromium", "chromium")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium,
            args=list(FLAGS),
            timeout=PATIENCE_S * 1000,
        )
        yield browser
        await browser.close()


async def test_a_lost_webhook_is_found_explained_and_sent_again_by_keyboard(tmp_path, browser):
    options = ("--port", "0", "--settle-after", "1h", "--retry-schedule", "none")
    async with real_sink() as sink, provider_process(tmp_path, *options) as process:
        sink.reply = Reply(500, body=b"<b>database is busy</b>")
        url, _ = await announcement(process)
        async with client_of(url) as http:
            await http.post("/v1/webhook_endpoints", json={"url": sink.url})
            for number, reference in enumerate(("calm-1", EVIL, "calm-2")):
                headers = {"idempotency-key": f"k{number}"}
                await http.post("/v1/payments", json=payment_body(reference), headers=headers)
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE_S * 1000)
        problems = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"{url}/_dashboard")
        await expect(page.locator("#list tbody tr")).to_have_count(3)
        await expect(page.get_by_text(EVIL)).to_be_visible()

        await page.keyboard.press("3")
        await page.keyboard.press("/")
        await page.keyboard.type("exhausted calm-2")
        await expect(page.locator("#list tbody tr")).to_have_count(1)
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        attempt = page.locator(".try")
        # Why it failed is read at a glance, on a projector too.
        await expect(attempt.get_by_text("<b>database is busy</b>")).to_be_in_viewport()
        await expect(attempt).to_contain_text("webhook-signature: v1,")

        sink.reply = Reply(200)
        await page.keyboard.press("r")
        await expect(page.locator("#detail")).to_contain_text("2 attempts")
        await expect(page.locator("#detail .head .badge")).to_have_text("delivered")
        await until(lambda: len(sink.calls) == 4)

        await page.keyboard.press("5")
        await page.locator("#kind").focus()
        await page.keyboard.type("drop")
        await page.locator("form .first").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".fault-row")).to_contain_text("drop")
        lift_all = page.get_by_role("button", name="Lift all")
        await lift_all.focus()
        async with client_of(url) as http:
            headers = {"idempotency-key": "k3"}
            await http.post("/v1/payments", json=payment_body("calm-3"), headers=headers)
        await expect(page.locator("#list")).to_contain_text("drop × 1")
        await expect(lift_all).to_be_focused()  # whoever is on a button stays there
        await page.keyboard.press("Enter")
        await expect(page.locator(".fault-row")).to_have_count(0)

        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("+")
        await expect(page.locator("html")).to_have_class(re.compile("large"))
        assert await page.title() == "psp-sim"
        assert problems == []


async def test_a_long_address_stays_in_its_pane(tmp_path, browser):
    options = ("--port", "0", "--settle-after", "0s", "--retry-schedule", "none")
    async with real_sink() as sink, provider_process(tmp_path, *options) as process:
        url, _ = await announcement(process)
        async with client_of(url) as http:
            address = f"{sink.url}/{'x' * 300}"
            await http.post("/v1/webhook_endpoints", json={"url": address})
            headers = {"idempotency-key": "k1"}
            await http.post("/v1/payments", json=payment_body("far"), headers=headers)
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE_S * 1000)
        await page.goto(f"{url}/_dashboard")
        await page.keyboard.press("3")
        await page.locator("#list tbody tr").first.click()
        request = page.get_by_text("Request: POST")
        await expect(request).to_be_visible()
        beside = "each => each.scrollWidth - each.clientWidth"
        assert await request.evaluate(beside) <= 0
        assert await page.locator("#detail").evaluate(beside) <= 0
