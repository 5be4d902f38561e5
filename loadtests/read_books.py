"""Three base URLs come in; the books of provider, shop and warehouse go out, read over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from loadtests.conservation import Books, Call, Order, Payment, still_pending

PAGE_ENTRIES = 100
READ_TIMEOUT_S = 60.0
READ_EVERY_S = 0.5
READ_TRIES_MAX = 10
READ_AGAIN_AFTER_S = 0.2


@dataclass(frozen=True)
class Services:
    """Where the three are reached, and the key that opens the provider's books."""

    psp_url: str
    psp_key: str
    shop_url: str
    warehouse_url: str


def read_settled_books(services: Services, within_s: float) -> tuple[Books, float, str]:
    """Read until nothing is pending, or the time is up.

    Returns (books, seconds waited, what is still pending or an empty text). Raises httpx.HTTPError.
    """
    started_at = time.monotonic()
    with httpx.Client(timeout=READ_TIMEOUT_S, trust_env=False) as client:
        while True:
            books = read_books(client, services)
            waited_s, pending = time.monotonic() - started_at, still_pending(books)
            if not pending or waited_s >= within_s:
                return books, waited_s, pending
            time.sleep(READ_EVERY_S)


def read_books(client: httpx.Client, services: Services) -> Books:
    """Read the three books once, page by page. Raises httpx.HTTPError."""
    key = {"authorization": f"Bearer {services.psp_key}"}
    payments = _entries(client, f"{services.psp_url}/v1/payments", key)
    orders = _entries(client, f"{services.shop_url}/orders", {})
    calls = _entries(client, f"{services.warehouse_url}/fulfilments", {})
    return Books(
        tuple(Payment(p["reference"], p["status"], p["amount"], p["currency"]) for p in payments),
        tuple(Order(o["id"], o["status"], o["amount"], o["currency"]) for o in orders),
        tuple(Call(call["order"], call["fulfilment"]) for call in calls),
        _ledger(client, services.shop_url),
    )


def _read(
    client: httpx.Client, url: str, query: Mapping[str, str | int], headers: Mapping[str, str]
) -> dict[str, Any]:
    """Read a page; where faults are still in force, an answer may have to be asked for again."""
    for _ in range(READ_TRIES_MAX):
        answer = client.get(url, params=query, headers=headers)
        if answer.status_code < httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(READ_AGAIN_AFTER_S)
    page: dict[str, Any] = answer.raise_for_status().json()
    return page


def _ledger(client: httpx.Client, shop_url: str) -> Mapping[str, Mapping[str, int]] | None:
    answer = client.get(f"{shop_url}/ledger")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    balances: dict[str, dict[str, int]] = answer.raise_for_status().json()["balances"]
    return balances


def _entries(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
    query: dict[str, str | int] = {"limit": PAGE_ENTRIES}
    while True:
        page = _read(client, url, query, headers)
        yield from page["data"]
        if page["next"] is None:
            return
        query["after"] = page["next"]
