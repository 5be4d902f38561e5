"""The page where who pays approves or refuses: as a browser without JavaScript uses it."""

import asyncio
import base64
import hashlib
import re

import pytest

from tests.psp_sim.processes import announcement, client_of, provider_process
from tests.psp_sim.stand import in_world, payment_body

FORM = {"authorization": None, "content-type": "application/x-www-form-urlencoded"}


async def asked(stand, **fields):
    payment = await stand.pay(payment_method="card_authenticate", **fields)
    return payment, payment["next_action"]["url"].removeprefix("http://psp:8080")


async def press(stand, path, result):
    return await stand.call("POST", path, content=f"result={result}".encode(), headers=FORM)


@pytest.mark.parametrize(
    ("result", "status", "saying"),
    [("approved", "processing", "You approved"), ("refused", "failed", "No money was taken")],
)
@in_world()
async def test_a_button_decides_and_the_page_then_says_so(stand, result, status, saying):
    await stand.add_endpoint()
    payment, path = await asked(stand)
    page = await stand.call("GET", path, headers={"authorization": None})
    assert page.status == 200
    assert "10.99 EUR" in page.text
    assert re.findall(r'name="result" value="(\w+)"', page.text) == ["approved", "refused"]
    answer = await press(stand, path, result)
    assert (answer.status, answer.headers["location"]) == (303, payment["id"])
    assert (await stand.get(f"/v1/payments/{payment['id']}"))["status"] == status
    after = await stand.call("GET", path, headers={"authorization": None})
    assert saying in after.text
    assert "<button" not in after.text
    await asyncio.sleep(0.5)
    assert stand.sink.types == ["requires_action", status]


@in_world()
async def test_a_second_click_changes_nothing(stand):
    payment, path = await asked(stand)
    await press(stand, path, "approved")
    assert (await press(stand, path, "refused")).status == 303
    await asyncio.sleep(5)
    shown = await stand.get(f"/v1/payments/{payment['id']}")
    assert (shown["status"], shown["sequence"]) == ("succeeded", 3)


@in_world()
async def test_what_the_page_cannot_do_it_says_as_a_page(stand):
    payment, path = await asked(stand)
    for result in ("", "maybe", "x" * 2000):
        answer = await press(stand, path, result)
        assert answer.status in (400, 413)
        assert "<h1>" in answer.text
    missing = await stand.call("GET", "/authenticate/pay_none", headers=FORM)
    assert (missing.status, "no such payment" in missing.text) == (404, True)
    assert (await stand.get(f"/v1/payments/{payment['id']}"))["status"] == "requires_action"


@in_world()
async def test_a_reference_is_text_on_the_page_whatever_it_is(stand):
    _, path = await asked(stand, reference="<script>alert(1)</script>")
    page = await stand.call("GET", path)
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


@in_world()
async def test_the_policy_allows_the_style_that_the_page_has(stand):
    _, path = await asked(stand)
    page = await stand.call("GET", path)
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "color-scheme: light dark" in style


@in_world(public_url="https://pay.example/bank/")
async def test_payers_are_sent_to_the_public_address(stand):
    payment = await stand.pay(payment_method="card_authenticate")
    wanted = f"https://pay.example/bank/authenticate/{payment['id']}"
    assert payment["next_action"]["url"] == wanted


@pytest.mark.live
async def test_the_page_works_over_a_real_connection(tmp_path):
    async with provider_process(tmp_path, "--port", "0", "--settle-after", "50ms") as process:
        url, _ = await announcement(process)
        async with client_of(url) as http:
            body = payment_body(payment_method="card_authenticate")
            made = await http.post("/v1/payments", json=body, headers={"idempotency-key": "k"})
            page_url = made.json()["next_action"]["url"]
            assert page_url.startswith(url)
            assert "Approve this payment?" in (await http.get(page_url)).text
            data = {"result": "approved"}
            after = await http.post(page_url, data=data, follow_redirects=True)
            assert "You can close this page" in after.text
            path = f"/v1/payments/{made.json()['id']}?wait=60&after_sequence=2"
            assert (await http.get(path)).json()["status"] == "succeeded"
