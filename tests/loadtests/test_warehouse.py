"""The warehouse remembers each call and refuses what is no fulfilment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from loadtests import warehouse


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(warehouse.create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://warehouse") as client:
        yield client


async def test_every_call_is_told_even_a_repeated_one(client: httpx.AsyncClient) -> None:
    call = {"order": "ord_1", "fulfilment": "ful_1", "items": []}
    for _ in range(2):
        assert (await client.post("/fulfilments", json=call)).status_code == 200
    told = (await client.get("/fulfilments")).json()
    assert told == {"data": [{"order": "ord_1", "fulfilment": "ful_1"}] * 2, "next": None}


async def test_the_pages_hold_every_call_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "PAGE_CALLS", 2)
    for number in range(5):
        await client.post("/fulfilments", json={"order": f"ord_{number}"})
    orders, after = [], "0"
    while after is not None:
        page = (await client.get("/fulfilments", params={"after": after})).json()
        orders += [call["order"] for call in page["data"]]
        after = page["next"]
    assert orders == [f"ord_{number}" for number in range(5)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"order": 1}', b"\xff"])
async def test_what_is_no_fulfilment_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post("/fulfilments", content=body)).status_code == 400
    assert (await client.get("/fulfilments")).json()["data"] == []


async def test_a_full_warehouse_says_so(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "CALLS_MAX", 0)
    answer = await client.post("/fulfilments", json={"order": "ord_1"})
    assert answer.status_code == 507
