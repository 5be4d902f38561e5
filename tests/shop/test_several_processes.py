"""Several shops on one PostgreSQL database: they share the work, and take over from the dead."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn import Config, Server

from psp_sim.server import KEEP_ALIVE_S
from shop import store
from shop.domain.catalogue import Item
from shop.domain.order import Order, OrderStatus
from shop.parts import Parts
from shop.process_inbox import process_event
from shop.queues import postpone_payment_request
from sqlport import open_database
from tests.shop.fakes import QUICK, FakeWorld, running_shop

ROOT = Path(__file__).parents[2]
ORDERS = 200
AMOUNT = 1250
# Events are taken by the fifty: this one is in the middle of the second share.
REACHED = 60
# Longer than the lease of what a dead process had taken.
TAKE_OVER_S = 90


@pytest.fixture
async def database(postgres_url):
    opened = await open_database(postgres_url)
    await opened.apply_schema(store.SCHEMA)
    yield opened
    await opened.close()


async def fill_inbox(database):
    await store_orders(database)
    await store_news(database)


async def store_orders(database, now=1.0):
    """Orders whose payments were asked for long ago."""
    async with database.transaction() as transaction:
        for number in range(ORDERS):
            order_id = f"ord_{number:03}"
            order = Order(
                id=order_id,
                status=OrderStatus.PENDING,
                amount_minor=AMOUNT,
                currency="EUR",
                email="ada@example.com",
                items=(Item("mug", 1),),
                created_at=now,
            )
            await store.insert_order(transaction, order, f"key_{number}")
            await postpone_payment_request(transaction, order_id, None)


async def store_news(database, now=1.0):
    """Events that tell of the success of every payment."""
    async with database.transaction() as transaction:
        for number in range(ORDERS):
            news = news_of(f"ord_{number:03}")
            await store.insert_event(transaction, f"evt_{number:03}", news, now)


def news_of(order_id):
    return (
        f'{{"type": "payment.succeeded", "data": {{"id": "pay_{order_id}", "status": "succeeded", '
        f'"amount": {AMOUNT}, "currency": "EUR", "reference": "{order_id}"}}}}'
    )


async def count(database, table, column, value):
    async with database.transaction() as transaction:
        row = await transaction.fetch_one(
            f"SELECT COUNT(*) AS found FROM {table} WHERE {column} = ?", value
        )
    return row["found"]


async def until(holds):
    async with asyncio.timeout(TAKE_OVER_S):
        while not await holds():  # noqa: ASYNC110 - told by nobody: it happens elsewhere
            await asyncio.sleep(0.002)


async def until_all_are_fulfilled(database):
    async def holds():
        return await count(database, "orders", "status", "fulfilled") == ORDERS

    await until(holds)


async def until_done(database, events):
    async def holds():
        return await count(database, "inbox", "status", "done") >= events

    await until(holds)


async def until_it_is_up(database):
    async def holds():
        async with database.transaction() as transaction:
            return await transaction.fetch_one("SELECT url FROM webhook_endpoints")

    await until(holds)


async def assert_every_order_had_its_effects_once(database, shipments):
    """``shipments`` has (order, fulfilment) of each request that the warehouse has got."""
    assert await count(database, "inbox", "status", "done") == ORDERS
    assert len({order for order, _ in shipments}) == ORDERS
    assert len(set(shipments)) == ORDERS
    assert await count(database, "fulfilments", "status", "delivered") == ORDERS
    async with database.transaction() as transaction:
        balances, entries = await store.ledger_balances(transaction)
    assert entries == ORDERS
    total = ORDERS * AMOUNT
    assert balances == {"provider": {"EUR": total}, "sales": {"EUR": -total}}


async def test_two_shops_share_an_inbox_and_each_event_has_its_effects_once(database, postgres_url):
    await fill_inbox(database)
    world = FakeWorld()
    processed = {1: [], 2: []}
    both_have_some = asyncio.Event()

    def parts(number):
        async def note(shop, row):
            processed[number].append(row.event_id)
            if all(processed.values()):
                both_have_some.set()
            # Each takes a share of the whole, and waits: else one that starts late finds nothing.
            await both_have_some.wait()
            await process_event(shop, row)

        return Parts(process_event=note)

    settings = replace(QUICK, warehouse_timeout_s=60.0)
    async with AsyncExitStack() as stack:
        for number in processed:
            own = await open_database(postgres_url)
            stack.push_async_callback(own.close)
            shop = running_shop(
                world, settings=settings, database=own, parts=parts(number), seed=number
            )
            await stack.enter_async_context(shop)
        await until_all_are_fulfilled(database)
    events = {f"evt_{number:03}" for number in range(ORDERS)}
    assert {*processed[1], *processed[2]} == events
    assert processed[1]
    assert processed[2]
    shipments = [(one["order"], one["fulfilment"]) for one in world.shipments]
    await assert_every_order_had_its_effects_once(database, shipments)


class Warehouse:
    """A warehouse on a real port that writes down what it is asked for."""

    def __init__(self):
        self.shipments = []

    async def take_on(self, request):
        body = await request.json()
        self.shipments.append((body["order"], body["fulfilment"]))
        return JSONResponse({})

    @asynccontextmanager
    async def listening(self):
        app = Starlette(routes=[Route("/shipments", self.take_on, methods=["POST"])])
        server = Server(
            Config(
                app,
                port=0,
                log_level="error",
                lifespan="off",
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        server.capture_signals = nullcontext
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/shipments"
        server.should_exit = True
        await task


@asynccontextmanager
async def shop_process(postgres_url, warehouse_url, warehouse_timeout="1s"):
    """``python -m shop`` with a provider that cannot be reached."""
    environment = {name: text for name, text in os.environ.items() if "SHOP_" not in name}
    environment |= {"SHOP_PSP_KEY": "sk_test", "PYTHONPATH": str(ROOT)}
    options = ("--port", "0", "--psp", "http://127.0.0.1:9", "--tracking", "webhooks")
    places = ("--database", postgres_url, "--warehouse-url", warehouse_url)
    times = ("--warehouse-timeout", warehouse_timeout)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shop", "serve", *options, *places, *times, env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.live
async def test_two_processes_work_off_one_inbox(database, postgres_url):
    await fill_inbox(database)
    warehouse = Warehouse()
    async with (
        warehouse.listening() as url,
        shop_process(postgres_url, url, "60s"),
        shop_process(postgres_url, url, "60s"),
    ):
        await until_all_are_fulfilled(database)
    assert len(warehouse.shipments) == ORDERS
    await assert_every_order_had_its_effects_once(database, warehouse.shipments)


@pytest.mark.live
async def test_what_a_killed_process_had_taken_another_one_finishes(database, postgres_url):
    warehouse = Warehouse()
    async with (
        warehouse.listening() as url,
        shop_process(postgres_url, url) as dies,
        AsyncExitStack() as stack,
    ):
        await until_it_is_up(database)
        await store_orders(database)
        async with database.transaction() as transaction:
            # The shop waits for this order, and so stops surely in the middle of something.
            await store.lock_order(transaction, f"ord_{REACHED:03}")
            await store_news(database)
            await until_done(database, REACHED)
            dies.send_signal(signal.SIGSTOP)
        done = await count(database, "inbox", "status", "done")
        assert done == REACHED
        await stack.enter_async_context(shop_process(postgres_url, url))
        await until_done(database, done + 1)
        dies.kill()
        await dies.wait()
        await until_all_are_fulfilled(database)
    await assert_every_order_had_its_effects_once(database, warehouse.shipments)


async def test_who_decides_upon_an_order_waits_for_whoever_is_deciding_upon_it(database):
    await fill_inbox(database)

    async def read():
        async with database.transaction() as transaction:
            return await store.lock_order(transaction, "ord_000")

    async with database.transaction() as transaction:
        order = await store.lock_order(transaction, "ord_000")
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.1)
        assert not reading.done()
        await store.save_order(transaction, order, replace(order, status=OrderStatus.PAID))
    assert (await reading).status is OrderStatus.PAID
