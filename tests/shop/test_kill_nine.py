"""``kill -9`` at random moments: what was acknowledged has its effect, once, and the books balance.

Customers order and a provider sends webhooks the whole time; the shop dies again and again in the
middle of it. A provider that got its 200 never sends that event again, and nobody is asked what
became of a payment: what the shop loses stays lost.

``KILL_ROUNDS=100 KILL_SECONDS=600`` makes it a hundred deaths, or as many as fit into ten minutes.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from contextlib import asynccontextmanager

import httpx
import pytest

from scenarios.targets.service_process import free_port
from shop import store
from sqlport import open_database
from tests.shop.fakes import PATIENCE_S, SECRET, FakeWorld, signed_headers, until
from tests.shop.processes import serving, shop_process

pytestmark = pytest.mark.live

ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
SECONDS = float(os.environ.get("KILL_SECONDS", "20"))
SEED = int(os.environ.get("KILL_SEED", "1"))
LIFE_MAX_S = 0.4
AMOUNT = 1250
START_LIMIT_S, END_LIMIT_S = 90, 240
WISH = {"items": [{"sku": "mug", "quantity": 1}], "email": "ada@example.com"}


class Outside:
    """Customers, and the sender of a provider. ``acknowledged``: payments whose event got 200."""

    def __init__(self, world, http):
        self.world = world
        self.http = http
        self.ordered = set()
        self.acknowledged = set()
        self.is_over = False

    async def buy(self):
        """Order after order, whatever comes of them."""
        while not self.is_over:
            answer = await self.ask("POST", "/orders", content=json.dumps(WISH))
            if answer is not None and answer.status_code == 201:
                self.ordered.add(answer.json()["id"])
            await asyncio.sleep(0.02)

    async def tell(self):
        """Of each payment's success until it is acknowledged, of some in two copies at once."""
        while not self.is_over:
            waiting = [one for one in self.world.payments if one not in self.acknowledged]
            await asyncio.gather(*(self.send(one) for one in waiting[:8]))
            await asyncio.sleep(0.005)

    async def send(self, payment_id):
        event = self.world.event(payment_id, "succeeded")
        body = json.dumps(event).encode()
        headers = signed_headers(event["id"], body, time.time(), SECRET)
        copies = 2 if payment_id.endswith(("3", "6", "9")) else 1
        answers = await asyncio.gather(
            *(
                self.ask("POST", "/webhooks/psp", content=body, headers=headers)
                for _ in range(copies)
            )
        )
        if any(answer is not None and answer.status_code == 200 for answer in answers):
            self.acknowledged.add(payment_id)

    async def ask(self, method, path, **request):
        """The answer, or None from a shop that is dead or dies over it."""
        try:
            return await self.http.request(method, path, **request)
        except httpx.HTTPError:
            return None

    @asynccontextmanager
    async def busy(self, *ways):
        """They end by themselves: a call that is cancelled in its middle leaves a socket behind."""
        self.is_over = False
        async with asyncio.TaskGroup() as group:
            for way in ways:
                group.create_task(way())
            try:
                yield
            finally:
                self.is_over = True


def options_for(url, port, outside):
    return (
        *("--database", url, "--port", str(port), "--psp", outside, "--tracking", "webhooks"),
        *("--warehouse-url", f"{outside}/shipments", "--warehouse-timeout", "1s"),
        *("--retry-first-delay", "20ms", "--retry-delay-cap", "100ms", "--psp-timeout", "1s"),
    )


async def live_and_die(outside, options, log):
    """One shop after the other, each killed at a moment that nobody has chosen; how many."""
    moments, deaths, began = random.Random(SEED), 0, time.monotonic()
    async with outside.busy(outside.buy, outside.tell):
        while deaths < ROUNDS and (not deaths or time.monotonic() < began + SECONDS):
            async with asyncio.timeout(START_LIMIT_S), shop_process(*options, log=log) as (dies, _):
                if not outside.acknowledged:
                    # The first one lives until something is at stake, however slow the machine.
                    await until(lambda: bool(outside.acknowledged))
                await asyncio.sleep(moments.uniform(0, LIFE_MAX_S))
                dies.kill()
                deaths += 1
    return deaths


async def end_in_peace(outside, options, log):
    """Nobody buys any more; what is under way comes to its end."""
    async with (
        asyncio.timeout(END_LIMIT_S),
        shop_process(*options, log=log),
        outside.busy(outside.tell),
    ):
        fulfilled = []

        async def is_quiet():
            """Every order that the shop has stored has left, and every payment was told of.

            Also the order whose customer never heard of it: the shop may have died between its
            resolve to ask for the payment and the call, and asks again when the lease is over.
            """
            while page := await the_next_orders():
                if {one["status"] for one in page} != {"fulfilled"}:
                    return False
                fulfilled.extend(one["id"] for one in page)
            is_told = outside.acknowledged >= set(outside.world.payments)
            return outside.ordered <= set(fulfilled) and is_told and await has_an_empty_inbox()

        async def the_next_orders():
            after = {"after": fulfilled[-1]} if fulfilled else {}
            return (await outside.http.get("/orders", params=after)).json()["data"]

        async def has_an_empty_inbox():
            """A second copy of the last news may still wait, when the order has long left."""
            answer = await outside.ask("GET", "/metrics")
            return answer is not None and "\nshop_inbox_waiting 0\n" in answer.text

        await until(is_quiet)


async def stored(url):
    database = await open_database(url)
    async with database.transaction() as transaction:
        events = await transaction.fetch_all("SELECT event_id, status FROM inbox")
        orders = await transaction.fetch_all("SELECT payment_id, status FROM orders")
        balances, entries = await store.ledger_balances(transaction)
    await database.close()
    return events, orders, balances, entries


async def test_what_was_acknowledged_has_its_effect_once_however_often_the_shop_is_killed(
    database_url, tmp_path
):
    world, log = FakeWorld(), tmp_path / "shop.log"
    began = time.monotonic()
    with free_port() as port:
        to_shop = {"base_url": f"http://127.0.0.1:{port}", "trust_env": False}
        async with (
            serving(world) as address,
            httpx.AsyncClient(timeout=PATIENCE_S, **to_shop) as http,
        ):
            outside, options = Outside(world, http), options_for(database_url, port, address)
            deaths = await live_and_die(outside, options, log)
            took_s = time.monotonic() - began
            early = len(outside.acknowledged)
            await end_in_peace(outside, options, log)
    events, orders, balances, entries = await stored(database_url)
    payments = len(world.payments)
    assert {row["event_id"]: row["status"] for row in events} == {
        f"evt_{one}_succeeded": "done" for one in outside.acknowledged
    }
    # An order that was stored and never confirmed may be there too; it was paid as well.
    assert Counter(row["status"] for row in orders) == {"fulfilled": len(orders)}
    assert {row["payment_id"] for row in orders} == set(world.payments)
    assert entries == payments == len(orders)
    assert balances == {
        "provider": {"EUR": AMOUNT * payments},
        "sales": {"EUR": -AMOUNT * payments},
    }
    shipped = {(one["order"], one["fulfilment"]) for one in world.shipments}
    assert len(shipped) == payments
    assert early > 0, "nothing was acknowledged between two deaths: this has shown nothing"
    print(
        f"{deaths} deaths in {took_s:.0f} s ({deaths * 60 / took_s:.0f} a minute): {payments} "
        f"payments, {early} acknowledged meanwhile, {len(world.shipments)} calls to the warehouse"
    )
