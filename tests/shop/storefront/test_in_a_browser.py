"""A person with a keyboard buys something: real processes, a real browser, nothing in between."""

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.programs import program
from tests.shop.fakes import until
from tests.shop.processes import client_of

ROOT = Path(__file__).parents[3]
KEY = "sk_test"
pytestmark = pytest.mark.live

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
TABS_MAX = 60


@asynccontextmanager
async def service(tmp_path, *command):
    """Run a service until the block is left; the address that it prints first."""
    environment = {name: text for name, text in os.environ.items() if "PSP_" not in name}
    environment |= {"PSP_API_KEY": KEY, "SHOP_PSP_KEY": KEY, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command, "--port", "0"),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        address = re.search(r"http://[0-9.:]+", line)
        assert address, line
        yield address[0]
    finally:
        process.terminate()
        await process.wait()


async def take_shipment(reader, writer):
    """A warehouse that takes on whatever it is asked to."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def open_shop(tmp_path):
    """The address of a shop with a warehouse, and the address of its provider.

    The shop learns of an outcome from a webhook or not at all.
    """
    warehouse = await asyncio.start_server(take_shipment, "127.0.0.1", 0)
    port = warehouse.sockets[0].getsockname()[1]
    async with (
        warehouse,
        service(tmp_path, "psp_sim", "serve", "--settle-after", "100ms") as provider,
        service(
            tmp_path,
            *("shop", "serve", "--psp", provider, "--reconcile-after", "1h"),
            *("--warehouse-url", f"http://127.0.0.1:{port}/shipments"),
        ) as address,
    ):
        yield address, provider


@asynccontextmanager
async def payments_waiting_for_approval(provider):
    """Let no payment get anywhere until the block is left, on which all of them are approved."""
    async with client_of(provider) as http:
        http.headers["authorization"] = f"Bearer {KEY}"
        fault = {"kind": "require_action"}
        assert (await http.post("/_control/faults", json=fault)).status_code == 201
        yield
        payments = []

        async def are_there():
            payments[:] = (await http.get("/v1/payments")).json()["data"]
            return bool(payments)

        await until(are_there)
        for payment in payments:
            approved = await http.post(
                f"/v1/payments/{payment['id']}/authenticate",
                json={"result": "approved"},
                headers={"idempotency-key": payment["id"]},
            )
            assert approved.status_code == 200


@asynccontextmanager
async def open_page(tmp_path, address):
    """A page of a fresh browser; on leaving, nothing may have been refused or gone elsewhere."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    chromium = program("chromium", "chromium")
    problems = []
    async with playwright.async_playwright() as player:
        context = await player.chromium.launch_persistent_context(
            tmp_path / "browser",
            executable_path=chromium,
            args=ARGUMENTS,
            base_url=address,
            timeout=PATIENCE_MS,
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.pages[0]
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: check_host(request.url, address, problems))
        try:
            yield page
        finally:
            await context.close()
    assert problems == []


def check_host(url, address, problems):
    if not url.startswith(f"{address}/"):
        problems.append(f"a request went to {url}")


async def tab_to(page, selector, key="Tab"):
    """Press a key until the focus is on the element, which then has to be seen to have it."""
    for _ in range(TABS_MAX):
        await page.keyboard.press(key)
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) == "solid", f"the focus on {selector} is invisible"
            return
    raise AssertionError(f"{TABS_MAX} times {key} do not lead to {selector}")


async def press_at(page, selector, key="Enter"):
    await tab_to(page, selector)
    await page.keyboard.press(key)


async def text_of(page, selector):
    return (await page.text_content(selector)).strip()


async def until_text(page, selector, text):
    await page.wait_for_function(
        "([place, text]) => document.querySelector(place)?.textContent.includes(text)",
        arg=[selector, text],
    )


async def buy_by_keyboard(page):
    """From the catalogue to the page of the order."""
    await page.goto("/")
    await page.wait_for_selector("[data-sku=mug]")
    await press_at(page, ".skip")
    await press_at(page, "[data-sku=mug]")
    await until_text(page, "#announcement[aria-live=polite]", "Stoneware mug is in your basket")
    await press_at(page, "[data-sku=incense]", "Space")
    await page.wait_for_selector("#other-currency[open]")
    assert "euros" in await text_of(page, "#other-currency-text")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("#other-currency", state="hidden")
    await press_at(page, "a[href='/basket']")
    await page.wait_for_selector("#more-mug")
    await press_at(page, "#more-mug")
    await until_text(page, "#total", "€25.00")
    await press_at(page, "#checkout")
    await page.wait_for_selector("#place-order:enabled")
    await tab_to(page, "#email")
    await page.keyboard.type("ada@example.com")
    await press_at(page, "#place-order", "Space")
    await page.wait_for_url("**/my-orders/ord_*")


async def test_a_keyboard_is_enough_to_buy_something_and_see_it_fulfilled(tmp_path):
    async with (
        open_shop(tmp_path) as (address, provider),
        open_page(tmp_path, address) as page,
    ):
        async with payments_waiting_for_approval(provider):
            await buy_by_keyboard(page)
            order_id = page.url.rsplit("/", 1)[1]
            await until_text(page, "#status[aria-live=polite]", "Waiting for the payment")
            first = await text_of(page, "#updated")
            await page.evaluate("() => { window.isTheSamePage = true; }")
            await page.wait_for_function(
                "first => document.querySelector('#updated').textContent !== first", arg=first
            )
        await until_text(page, "#status[aria-live=polite]", "On its way")
        assert await page.evaluate("() => window.isTheSamePage"), "the page was loaded again"
        assert "payment.succeeded" in await text_of(page, "#history")
        assert "Source: webhook" in await text_of(page, "#history")
        assert "On its way" in await text_of(page, "#history li:last-child")
        async with client_of(address) as http:
            order = (await http.get(f"/orders/{order_id}")).json()
        assert (order["status"], order["amount"], order["email"]) == (
            "fulfilled",
            2500,
            "ada@example.com",
        )
        await press_at(page, "nav a[href='/my-orders']")
        await until_text(page, ".orders", "€25.00")
        assert await page.is_hidden("#basket-count")


MARKUP = "<img/src=x/onerror=alert(1)>"
HISTORY = [
    {"time": "2026-01-01T10:00:00+00:00", "source": MARKUP, "what": "payment.succeeded"},
    {"time": "2026-01-02T10:00:00+00:00", "what": "refund", "status": "refunded"},
]


async def test_what_customers_and_the_shop_say_is_text_and_never_markup(tmp_path):
    async with (
        open_shop(tmp_path) as (address, _),
        open_page(tmp_path, address) as page,
    ):
        wanted = {"items": [{"sku": "mug", "quantity": 1}], "email": f"{MARKUP}@example.com"}
        async with client_of(address) as http:
            order = (await http.post("/orders", json=wanted)).json()

        async def tell(route):
            await route.fulfill(
                json=order | {"status": "refunded", "amount_refunded": 900, "history": HISTORY}
            )

        await page.route(f"{address}/orders/{order['id']}", tell)
        await page.goto(f"/my-orders/{order['id']}")
        await until_text(page, "#status", "Refunded")
        assert f"{MARKUP}@example.com" in await text_of(page, "#items")
        assert "Refunded: €9.00" in await text_of(page, "#items")
        assert "Status: Refunded" in await text_of(page, "#history li:last-child")
        assert MARKUP in await text_of(page, "#history li:first-child")
        assert "payment.succeeded" in await text_of(page, "#history li:first-child")
        assert await page.locator("main img").count() == 0
