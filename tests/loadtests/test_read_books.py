"""Reading the books: page after page, with the key, until nothing is pending."""

from __future__ import annotations

import httpx
import pytest

from loadtests.conservation import Books, Call, Order, Payment
from loadtests.read_books import Services, read_books

SERVICES = Services("http://psp", "secret", "http://shop", "http://warehouse")
PAYMENT = {"reference": "ord_1", "status": "succeeded", "amount": 5, "currency": "EUR"}
ORDER = {"id": "ord_1", "status": "fulfilled", "amount": 5, "currency": "EUR"}
LEDGER = {"provider": {"EUR": 10}, "sales": {"EUR": -10}}
CALL = {"order": "ord_1", "fulfilment": "ful_1"}


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.host == "psp" and request.headers.get("authorization") != "Bearer secret":
        return httpx.Response(401)
    if request.url.path == "/ledger":
        return httpx.Response(200, json={"balances": LEDGER, "entries": 2})
    entry = {"psp": PAYMENT, "shop": ORDER, "warehouse": CALL}[request.url.host]
    is_first = "after" not in request.url.params
    return httpx.Response(200, json={"data": [entry], "next": "c1" if is_first else None})


def test_the_books_hold_every_page() -> None:
    with httpx.Client(transport=httpx.MockTransport(_answer)) as client:
        books = read_books(client, SERVICES)
    assert books == Books(
        (Payment("ord_1", "succeeded", 5, "EUR"),) * 2,
        (Order("ord_1", "fulfilled", 5, "EUR"),) * 2,
        (Call("ord_1", "ful_1"),) * 2,
        LEDGER,
    )


def test_books_that_cannot_be_opened_are_an_error() -> None:
    wrong = Services("http://psp", "wrong", "http://shop", "http://warehouse")
    with (
        httpx.Client(transport=httpx.MockTransport(_answer)) as client,
        pytest.raises(httpx.HTTPStatusError),
    ):
        read_books(client, wrong)
