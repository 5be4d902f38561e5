"""What customers can send and read."""

import json
from dataclasses import replace

import pytest

from tests.shop.fakes import QUICK, running_shop

pytestmark = pytest.mark.usefixtures("on_each_engine")

GOOD = {"items": [{"sku": "mug", "quantity": 2}], "email": "ada@example.com"}


async def test_an_order_is_priced_by_the_shop_and_answered_at_once():
    async with running_shop() as shop:
        answer = await shop.http.post("/orders", json=GOOD | {"amount": 1, "price": 1})
        order = answer.json()
        assert answer.status_code == 201
        assert (order["status"], order["amount"], order["currency"]) == ("pending", 2500, "EUR")
        assert order["id"].startswith("ord_")
        assert (order["payment_id"], order["fulfilments"]) == (None, [])
        assert order["created"].endswith("+00:00")


async def test_an_order_in_yen_or_dinar_is_whole_minor_units():
    async with running_shop() as shop:
        assert (await shop.place_order("ramen-bowl"))["amount"] == 1980
        assert (await shop.place_order("incense"))["amount"] == 4250


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "malformed_request"),
        ("{", 400, "malformed_request"),
        (b'{"email": "\xff"}', 400, "malformed_request"),
        ('{"x":' + "[" * 60000, 400, "malformed_request"),
        ("[]", 422, "invalid_order"),
        ("{}", 422, "invalid_order"),
        (GOOD | {"items": []}, 422, "invalid_order"),
        (GOOD | {"items": GOOD["items"] * 21}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "mug", "quantity": 0}]}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "mug", "quantity": 101}]}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "mug", "quantity": 1.5}]}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "mug", "quantity": True}]}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "mug", "quantity": "1"}]}, 422, "invalid_order"),
        (GOOD | {"items": [{"sku": "unicorn", "quantity": 1}]}, 422, "unknown_product"),
        (GOOD | {"email": "nobody"}, 422, "invalid_order"),
        (GOOD | {"email": "a@b\nc"}, 422, "invalid_order"),
        (GOOD | {"email": "a\x00@b"}, 422, "invalid_order"),
        (GOOD | {"email": "a@" + "b" * 260}, 422, "invalid_order"),
        (GOOD | {"currency": "eur"}, 422, "invalid_order"),
        (GOOD | {"currency": "JPY"}, 422, "mixed_currencies"),
        (GOOD | {"email": "a@b." + "c" * 70000}, 413, "body_too_large"),
    ],
)
async def test_a_bad_order_is_refused_with_a_problem_document(body, status, code):
    content = json.dumps(body) if isinstance(body, dict) else body
    async with running_shop() as shop:
        answer = await shop.http.post("/orders", content=content)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem.keys() == {"type", "title", "status", "detail", "code", "definite"}
        assert problem["definite"] is True
        assert (await shop.http.get("/orders")).json()["data"] == []


async def test_a_body_without_an_announced_length_is_limited_too():
    async def chunks():
        for _ in range(100):
            yield b" " * 1000

    async with running_shop() as shop:
        answer = await shop.http.post("/orders", content=chunks())
        assert answer.status_code == 413


async def test_an_order_that_does_not_exist_is_404():
    async with running_shop() as shop:
        answer = await shop.http.get("/orders/ord_none")
        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


async def test_unknown_paths_and_methods_are_problem_documents_too():
    async with running_shop() as shop:
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("PUT", "/orders", 405),
            ("GET", "/orders/", 404),
        ):
            answer = await shop.http.request(method, path)
            assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_orders_are_listed_oldest_first_in_pages():
    async with running_shop() as shop:
        placed = [(await shop.place_order())["id"] for _ in range(5)]
        seen, after = [], ""
        for _ in range(3):
            page = (await shop.http.get(f"/orders?limit=2{after}")).json()
            seen += [order["id"] for order in page["data"]]
            after = f"&after={page['next']}"
        assert seen == placed
        assert page["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=", "limit=-1"])
async def test_a_page_size_out_of_range_is_refused(query):
    async with running_shop() as shop:
        assert (await shop.http.get(f"/orders?{query}")).status_code == 400


async def test_a_list_cannot_start_after_an_order_that_does_not_exist():
    async with running_shop() as shop:
        assert (await shop.http.get("/orders?after=ord_none")).status_code == 404


async def test_the_same_seed_makes_up_the_same_makers_and_another_seed_others():
    seen = []
    for seed in (1, 1, 2):
        async with running_shop(settings=replace(QUICK, catalogue_seed=seed)) as shop:
            products = (await shop.http.get("/products")).json()["data"]
            seen.append([product["maker"] for product in products])
    assert seen[0] == seen[1] != seen[2]
    assert len(set(seen[0])) == len(seen[0])


async def test_products_and_health_and_an_empty_ledger_can_be_read():
    async with running_shop() as shop:
        products = (await shop.http.get("/products")).json()["data"]
        assert {"sku", "name", "price", "currency"} <= products[0].keys()
        assert {product["price_text"] for product in products} >= {"12.50 EUR", "1980 JPY"}
        assert (await shop.http.get("/healthz")).status_code == 200
        assert (await shop.http.get("/ledger")).json() == {"balances": {}, "entries": 0}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/orders/%00", (404, "not_found")),
        ("POST", "/orders/%00/refunds", (404, "not_found")),
        ("POST", "/dead_letters/%00/retry", (404, "not_found")),
        ("GET", "/orders?after=%00", (400, "malformed_request")),
        ("GET", "/dead_letters?after=evt_%00", (400, "malformed_request")),
    ],
)
async def test_the_character_that_no_database_stores_is_refused(method, path, expected):
    async with running_shop() as shop:
        answer = await shop.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == expected
        assert answer.json()["definite"]


async def test_a_reason_with_the_character_that_no_database_stores_is_refused():
    async with running_shop() as shop:
        order_id, payment_id = await shop.place_requested_order()
        await shop.deliver(shop.world.event(payment_id, "succeeded"))
        await shop.until_status(order_id, "fulfilled")
        answer = await shop.http.post(f"/orders/{order_id}/refunds", json={"reason": "a\0b"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
