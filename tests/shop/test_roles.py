"""One shop as several processes: some answer, others work, and PostgreSQL is between them."""

import asyncio
import json
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from scenarios.targets.service_process import free_port
from shop import store
from shop.settings import BadSetting, Settings
from sqlport import open_database
from tests.shop.fakes import (
    QUICK,
    SECRET,
    FakeWorld,
    for_a_while,
    running_shop,
    signed_headers,
    until,
)
from tests.shop.processes import client_of, serving, shop_process

COPIES, NEW_IDS, WORKERS = 1000, 40, 4


@pytest.fixture
async def database(postgres_url):
    opened = await open_database(postgres_url)
    await opened.apply_schema(store.SCHEMA)
    yield opened
    await opened.close()


@asynccontextmanager
async def shop_in(role, world, postgres_url, look_interval_s=1000.0, **options):
    """A shop with this role, on connections of its own; it hardly ever looks without being told."""
    settings = replace(QUICK, role=role, database=postgres_url, look_interval_s=look_interval_s)
    own = await open_database(postgres_url)
    async with running_shop(world, settings=settings, database=own, **options) as shop:
        yield shop
    await own.close()


async def test_what_one_process_has_taken_in_another_one_does(postgres_url):
    world = FakeWorld()
    async with (
        shop_in("worker", world, postgres_url),
        shop_in("web", world, postgres_url, seed=2) as web,
    ):
        order_id, payment_id = await web.place_requested_order()
        assert (await web.deliver(world.event(payment_id, "succeeded"))).status_code == 200
        await web.until_status(order_id, "fulfilled")
        assert (await web.http.post(f"/orders/{order_id}/refunds", json={})).status_code == 201
        await until(lambda: bool(world.calls("POST", "/v1/refunds")))
    assert len(world.shipments) == 1


async def test_what_was_said_while_nobody_listened_is_looked_for_when_the_way_is_open_again(
    database, postgres_url
):
    world = FakeWorld()
    async with (
        shop_in("worker", world, postgres_url),
        shop_in("web", world, postgres_url, seed=2) as web,
    ):
        async with database.transaction() as transaction:
            await transaction.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            )
        order_id = (await web.place_order())["id"]
        await web.until_order(order_id, lambda order: order["payment_id"] is not None)


async def test_a_worker_finds_by_itself_what_nobody_has_told_of(database, postgres_url):
    async with shop_in("worker", FakeWorld(), postgres_url, look_interval_s=0.1):
        async with database.transaction() as transaction:
            await store.insert_event(transaction, "evt_1", '{"type": "ping"}', 1.0)

        async def is_done():
            async with database.transaction() as transaction:
                row = await transaction.fetch_one("SELECT status FROM inbox")
            return row["status"] == "done"

        await until(is_done)


async def test_a_web_process_stores_and_does_nothing_else(postgres_url):
    world = FakeWorld()
    async with shop_in("worker", world, postgres_url):
        pass
    asked = len(world.requests)
    async with shop_in("web", world, postgres_url, seed=2) as web:
        order_id = (await web.place_order())["id"]
        assert (await web.deliver({"id": "evt_1", "type": "ping"})).status_code == 200
        await for_a_while()
        assert (await web.order(order_id))["status"] == "pending"
        health = (await web.http.get("/healthz")).json()
        assert (health["role"], "webhook_endpoint" in health) == ("web", False)
        assert "webhook_endpoint_ok" not in (await web.http.get("/metrics")).text
        async with web.database.transaction() as transaction:
            row = await transaction.fetch_one("SELECT status FROM inbox")
        assert row["status"] == "pending"
    assert len(world.requests) == asked


async def test_a_worker_answers_whoever_runs_it_and_nobody_else(postgres_url):
    async with shop_in("worker", FakeWorld(), postgres_url) as worker:
        for path in ("/healthz", "/metrics", "/tracking", "/dead_letters"):
            assert (await worker.http.get(path)).status_code == 200
        for path in ("/", "/orders", "/products", "/ledger"):
            assert (await worker.http.get(path)).status_code == 404
        assert (await worker.deliver({"id": "evt_1", "type": "ping"})).status_code == 404
        assert (await worker.http.get("/healthz")).json()["role"] == "worker"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"role": "cook"}, "--role must be one of all, web, worker, not 'cook'"),
        ({"role": "web"}, "--role web needs --database postgresql://"),
        ({"role": "worker", "database": "postgresql://x/y"}, "--role worker needs --public-url"),
    ],
)
def test_a_role_that_cannot_work_is_refused_with_what_it_lacks(options, part):
    with pytest.raises(BadSetting, match=part):
        Settings(**options)


def test_a_shop_that_polls_needs_no_address_in_any_role():
    Settings(role="web", database="postgresql://x/y", tracking="polling")


class Sender:
    """Sends the same bytes over many connections at once, and again what was put off."""

    def __init__(self, address):
        self.host, self.port = httpx.URL(address).host, httpx.URL(address).port

    async def send_all(self, webhooks):
        """Open all connections first; return how often each status was answered."""
        found = Counter()
        while webhooks:
            lines = await asyncio.gather(*(self._connect() for _ in webhooks))
            statuses = await asyncio.gather(
                *(self._exchange(*line, one) for line, one in zip(lines, webhooks, strict=True))
            )
            found.update(statuses)
            webhooks = [
                one for one, status in zip(webhooks, statuses, strict=True) if status == 503
            ]
        return found

    async def _connect(self):
        return await asyncio.open_connection(self.host, self.port)

    async def _exchange(self, reader, writer, webhook):
        writer.write(webhook)
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1])


def request_for(event):
    body = json.dumps(event).encode()
    headers = signed_headers(event["id"], body, time.time(), SECRET)
    head = [f"{name}: {text}" for name, text in headers.items()]
    lines = ["POST /webhooks/psp HTTP/1.1", "host: shop", "connection: close", *head]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


@pytest.mark.live
async def test_a_thousand_copies_at_once_and_four_workers_are_one_effect(
    database, postgres_url, tmp_path
):
    """And so is the same fact under many new ids, which the workers process at the same time."""
    world = FakeWorld()
    async with serving(world) as outside, AsyncExitStack() as stack:
        port = stack.enter_context(free_port())
        common = (
            *("--database", f"{postgres_url}&pool_size=5", "--psp", outside),
            *("--warehouse-url", f"{outside}/shipments", "--tracking", "webhooks"),
            *("--public-url", f"http://127.0.0.1:{port}"),
        )
        starting = [("web", port), *(("worker", 0) for _ in range(WORKERS))]
        (_, address), *_ = await asyncio.gather(
            *(
                stack.enter_async_context(
                    shop_process(
                        *("--role", role, "--port", str(its_port), *common),
                        log=tmp_path / f"{number}.log",
                    )
                )
                for number, (role, its_port) in enumerate(starting)
            )
        )
        http = await stack.enter_async_context(client_of(address))
        wish = {"items": [{"sku": "mug", "quantity": 1}], "email": "ada@example.com"}
        order_id = (await http.post("/orders", json=wish)).json()["id"]
        await until(lambda: bool(world.payments))
        copies = [request_for(world.event("pay_1", "succeeded"))] * COPIES
        others = [
            request_for(world.event("pay_1", "succeeded", f"evt_{n}")) for n in range(NEW_IDS)
        ]
        answered = await Sender(address).send_all(copies + others)
        assert answered[200] == COPIES + NEW_IDS
        assert set(answered) <= {200, 503}

        async def is_done():
            order = (await http.get(f"/orders/{order_id}")).json()
            async with database.transaction() as transaction:
                row = await transaction.fetch_one(
                    "SELECT COUNT(*) AS done FROM inbox WHERE status = 'done'"
                )
            return order["status"] == "fulfilled" and row["done"] == 1 + NEW_IDS

        await until(is_done)
        order = (await http.get(f"/orders/{order_id}")).json()
        books = (await http.get("/ledger")).json()
    assert [one["what"] for one in order["history"]].count("payment.succeeded") == 1
    assert books == {
        "entries": 1,
        "balances": {"provider": {"EUR": 1250}, "sales": {"EUR": -1250}},
    }
    assert len({one["fulfilment"] for one in world.shipments}) == len(order["fulfilments"]) == 1
