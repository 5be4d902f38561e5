"""The storefront over HTTP: what is sent, and what a browser is told never to do with it."""

import re
from pathlib import Path

import pytest

import shop.storefront
from shop.domain.catalogue import PRODUCTS
from tests.shop.fakes import running_shop

FOLDER = Path(shop.storefront.__file__).parent
PAGES = ("/", "/basket", "/checkout", "/my-orders", "/my-orders/ord_1")
ASSETS = sorted(path.name for path in (FOLDER / "assets").iterdir())


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_complete_and_comes_with_a_strict_policy(path):
    async with running_shop() as shop:
        answer = await shop.http.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = dict(
            part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "{{" not in answer.text
        assert '<html lang="en">' in answer.text
        assert '<a class="skip" href="#content">' in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_refers_only_to_files_that_the_shop_has(path):
    async with running_shop() as shop:
        page = (await shop.http.get(path)).text
        found = re.findall(r'(?:href|src)="(/assets/[^"#]+)', page)
        assert len(found) >= 3
        for reference in found:
            assert (await shop.http.get(reference)).status_code == 200, reference
        assert not re.search(r'(?:href|src)="(?![/#])', page)


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_in_a_page_would_need_a_laxer_policy(path):
    async with running_shop() as shop:
        page = (await shop.http.get(path)).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)


@pytest.mark.parametrize("name", ASSETS)
async def test_a_file_says_what_it_is(name):
    kinds = {
        "js": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml",
    }
    async with running_shop() as shop:
        answer = await shop.http.get(f"/assets/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kinds[name.rpartition(".")[2]]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" in answer.headers
        assert answer.content == (FOLDER / "assets" / name).read_bytes()


@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".js")])
def test_a_script_imports_only_its_neighbours_and_never_writes_markup(name):
    text = (FOLDER / "assets" / name).read_text(encoding="utf-8")
    for reference in re.findall(r'from "([^"]+)"|import "([^"]+)"', text):
        assert (FOLDER / "assets" / "".join(reference).removeprefix("./")).is_file(), reference
    unsafe = "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\(|new Function"
    assert not re.search(unsafe, text)


async def test_a_file_that_did_not_change_is_not_sent_again():
    async with running_shop() as shop:
        first = await shop.http.get("/assets/dom.js")
        tag = {"if-none-match": first.headers["etag"]}
        again = await shop.http.get("/assets/dom.js", headers=tag)
        other = await shop.http.get("/assets/api.js", headers=tag)
        assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/unicorn.js",
        "/assets/",
        "/assets/..%2fhttp_pages.py",
        "/assets/../http_pages.py",
        "/assets/%2e%2e/pages/frame.html",
        "/pages/frame.html",
        "/basket/",
        "/my-orders/a/b",
    ],
)
async def test_anything_else_is_404_as_a_problem_document(path):
    async with running_shop() as shop:
        answer = await shop.http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_is_only_ever_read():
    async with running_shop() as shop:
        assert (await shop.http.post("/")).status_code == 405
        assert (await shop.http.head("/")).status_code == 200


async def test_every_page_of_the_api_is_still_where_it_was():
    async with running_shop() as shop:
        order_id = (await shop.place_order())["id"]
        for path in ("/orders", f"/orders/{order_id}", "/products", "/ledger", "/healthz"):
            answer = await shop.http.get(path)
            assert answer.headers["content-type"] == "application/json", path


def test_every_product_has_a_drawing_of_its_own():
    art = (FOLDER / "assets" / "art.svg").read_text(encoding="utf-8")
    symbols = set(re.findall(r'<symbol id="([^"]+)"', art))
    drawn = (FOLDER / "assets" / "dom.js").read_text(encoding="utf-8")
    listed = set(re.findall(r'"([a-z-]+)"', drawn.split("new Set([")[1].split("]")[0]))
    assert set(PRODUCTS) == listed == symbols - {"parcel"}
