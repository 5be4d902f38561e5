"""A provider and a warehouse behind an httpx transport, and a shop running against them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
from standardwebhooks import Webhook

from shop.app import create_app
from shop.parts import Parts
from shop.settings import Settings
from sqlport import Database, open_database

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
THIRD_SECRET = "whsec_dGhlIHRoaXJkIHNlY3JldCBvZiBhIHNob3A="

# Where a shop's database is if the test does not say.
DATABASE_URL = "sqlite:///:memory:"

# As long as the slowest machine may take: a test that waits for something ends when it is there.
PATIENCE_S = 60.0

_WAITING = """
SELECT (SELECT COUNT(*) FROM inbox WHERE status = 'pending')
     + (SELECT COUNT(*) FROM fulfilments WHERE due_at IS NOT NULL)
     + (SELECT COUNT(*) FROM refunds WHERE due_at IS NOT NULL) AS waiting
"""

QUICK = Settings(
    psp="http://psp:8080",
    psp_key="sk_test",
    public_url="http://shop:8081",
    warehouse_url="http://warehouse/shipments",
    tracking="webhooks",
    retry_first_delay_s=0.01,
    retry_delay_cap_s=0.02,
    psp_timeout_s=PATIENCE_S,
    warehouse_timeout_s=PATIENCE_S,
    look_interval_s=0.05,
    reconcile_after_s=0.03,
    reconcile_interval_s=0.02,
    polling_interval_s=0.02,
)


class FakeClock:
    """Real seconds on top of a fixed start, with a jump where a test wants one."""

    def __init__(self) -> None:
        self.ahead_s = 1_700_000_000.0

    def now(self) -> float:
        return self.ahead_s + asyncio.get_running_loop().time()


def after_every_lease() -> FakeClock:
    """A clock by which whatever an earlier shop had taken with QUICK settings is free again."""
    clock = FakeClock()
    clock.ahead_s += 10 * PATIENCE_S
    return clock


class StoppedClock(FakeClock):
    """Stands still but for the jumps."""

    def now(self) -> float:
        return self.ahead_s


class FakeWorld(httpx.AsyncBaseTransport):
    """Everything outside the shop. ``script`` overrules the next answers to POST /v1/payments.

    A scripted payment is about the order that asked for it, unless it names another.
    """

    def __init__(self) -> None:
        self.script: list[str | tuple[int, dict[str, Any]]] = []
        self.requests: list[httpx.Request] = []
        self.payments: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.warehouse_script: list[int] = []
        self.shipments: list[dict[str, Any]] = []
        self.down = False
        self.lose_answers = False
        self.warehouse_takes_s = 0.0
        self.may_rotate = True
        self.previous_secrets_end_at = 1_700_000_000 + 10**7

    def calls(self, method: str, path: str) -> list[httpx.Request]:
        return [
            request
            for request in self.requests
            if request.method == method and request.url.path.startswith(path)
        ]

    def gaps(self, method: str, path: str) -> list[float]:
        """Seconds from each of these calls to the next."""
        times = [request.extensions["asked_at"] for request in self.calls(method, path)]
        return [later - earlier for earlier, later in pairwise(times)]

    def note(self, request: httpx.Request) -> None:
        request.extensions["asked_at"] = asyncio.get_running_loop().time()
        self.requests.append(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.note(request)
        if request.url.host == "warehouse":
            return await self._warehouse(request)
        if self.down:
            raise httpx.ConnectError("connection refused")
        answer = self._provider(request)
        if self.lose_answers:
            raise httpx.ReadTimeout("no answer")
        return answer

    async def _warehouse(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.warehouse_takes_s)
        self.shipments.append(json.loads(request.content))
        return httpx.Response(self.warehouse_script.pop(0) if self.warehouse_script else 200)

    def _provider(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer sk_test"
        path = request.url.path
        if request.method == "POST" and path == "/v1/payments":
            return self._scripted_payment(request)
        if path == "/v1/payments":
            wanted = request.url.params["reference"]
            found = [one for one in self.payments.values() if one["reference"] == wanted]
            return httpx.Response(200, json={"data": found, "next": None})
        if path.startswith("/v1/payments/"):
            return _found(self.payments.get(path.rsplit("/", 1)[1]))
        if path.endswith("/rotate_secret") and path.split("/")[3] in self.endpoints:
            return self._rotate(path.split("/")[3], request)
        if request.method == "POST" and path == "/v1/webhook_endpoints":
            return self._create_endpoint(request)
        return _found(self.endpoints.get(path.rsplit("/", 1)[1]))

    def _scripted_payment(self, request: httpx.Request) -> httpx.Response:
        step = self.script.pop(0) if self.script else "ok"
        if isinstance(step, tuple):
            status, answer = step
            about = {"reference": json.loads(request.content)["reference"]} if status < 300 else {}
            return httpx.Response(status, json=about | answer)
        if step == "lose_request":
            raise httpx.ConnectTimeout("no answer")
        answer = self._create_payment(request)
        if step == "lose_response":
            raise httpx.ReadTimeout("no answer")
        if step == "error_after":
            return httpx.Response(500, text="oops")
        return answer

    def _create_payment(self, request: httpx.Request) -> httpx.Response:
        key, body = request.headers["idempotency-key"], json.loads(request.content)
        if key not in self.by_key:
            payment = {
                "id": f"pay_{len(self.payments) + 1}",
                "object": "payment",
                "status": "processing",
                "sequence": 1,
                "failure": None,
                "a_new_field": {"nobody": "knows"},
                **body,
            }
            self.by_key[key] = self.payments[payment["id"]] = payment
        return httpx.Response(201, json=self.by_key[key])

    def _create_endpoint(self, request: httpx.Request) -> httpx.Response:
        key, body = request.headers["idempotency-key"], json.loads(request.content)
        for endpoint in self.endpoints.values():
            if endpoint["key"] == key:
                return httpx.Response(201, json=endpoint)
        endpoint = {"id": f"we_{len(self.endpoints) + 1}", "secret": SECRET, "key": key, **body}
        self.endpoints[endpoint["id"]] = endpoint
        return httpx.Response(201, json=endpoint)

    def _rotate(self, endpoint_id: str, request: httpx.Request) -> httpx.Response:
        if not self.may_rotate:
            return httpx.Response(503)
        endpoint = self.endpoints[endpoint_id]
        key = request.headers["idempotency-key"]
        if key != endpoint.get("rotation_key"):
            new = NEXT_SECRET if endpoint["secret"] == SECRET else THIRD_SECRET
            endpoint |= {"secret": new, "rotation_key": key}
        ends = datetime.fromtimestamp(self.previous_secrets_end_at, UTC).isoformat()
        return httpx.Response(200, json={**endpoint, "previous_secret_expires_at": ends})

    def event(
        self, payment_id: str, status: str, event_id: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """The webhook that tells of a payment's new state, which it also has from now on."""
        payment = self.payments[payment_id]
        payment["status"] = status
        return {
            "id": event_id or f"evt_{payment_id}_{status}",
            "type": f"payment.{status}",
            "timestamp": "2026-01-01T00:00:00Z",
            "sequence": 2,
            "data": {**payment, **changes},
        }


class RunningShop:
    """A shop whose lifespan has started, and ways to talk to it."""

    def __init__(
        self, http: httpx.AsyncClient, world: FakeWorld, clock: FakeClock, database: Database
    ) -> None:
        self.http = http
        self.world = world
        self.clock = clock
        self.database = database

    async def place_order(self, sku: str = "mug", quantity: int = 1) -> dict[str, Any]:
        answer = await self.http.post(
            "/orders",
            json={"items": [{"sku": sku, "quantity": quantity}], "email": "ada@example.com"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def order(self, order_id: str) -> dict[str, Any]:
        return (await self.http.get(f"/orders/{order_id}")).json()

    async def place_requested_order(self) -> tuple[str, str]:
        """An order whose payment the provider has made, and that payment's id."""
        order_id = (await self.place_order())["id"]
        await self.until_order(order_id, lambda order: order["payment_id"] is not None)
        return order_id, (await self.order(order_id))["payment_id"]

    async def deliver(
        self, event: dict[str, Any] | bytes, secret: str = SECRET, **headers: str | None
    ) -> httpx.Response:
        """Send a webhook as the provider would; ``headers`` replaces or (None) drops some."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        event_id = "evt_raw" if isinstance(event, bytes) else event["id"]
        signed = signed_headers(event_id, body, self.clock.now(), secret)
        for name, value in headers.items():
            signed[name.replace("_", "-")] = value
        kept = {name: value for name, value in signed.items() if value is not None}
        return await self.http.post("/webhooks/psp", content=body, headers=kept)

    async def until_order(
        self, order_id: str, holds: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        seen: list[dict[str, Any]] = []

        async def is_so() -> bool:
            seen[:] = [await self.order(order_id)]
            return holds(seen[0])

        await until(is_so, lambda: f"the order is {seen}")
        return seen[0]

    async def until_status(self, order_id: str, status: str) -> dict[str, Any]:
        return await self.until_order(order_id, lambda order: order["status"] == status)

    async def until_accepted(self, event: dict[str, Any], secret: str = SECRET) -> None:
        """Until a webhook is taken, which depends on what the shop has learnt of its endpoint."""

        async def is_taken() -> bool:
            return (await self.deliver(event, secret)).status_code == 200

        await until(is_taken)

    async def until_worked_off(self) -> None:
        """Until no event, fulfilment or refund is waiting for anything but other people."""

        async def is_idle() -> bool:
            async with self.database.transaction() as transaction:
                row = await transaction.fetch_one(_WAITING)
            return row is not None and row["waiting"] == 0

        await until(is_idle)


def signed_headers(event_id: str, body: bytes, now: float, secret: str) -> dict[str, str | None]:
    """The three headers, made by the published library rather than by our own code."""
    at = datetime.fromtimestamp(int(now), UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(event_id, at, body.decode()),
        "content-type": "application/json",
    }


@asynccontextmanager
async def running_shop(
    world: FakeWorld | None = None,
    *,
    settings: Settings = QUICK,
    database: Database | None = None,
    parts: Parts = Parts(),
    clock: FakeClock | None = None,
    wait_for_secret: bool = True,
    peer: str = "127.0.0.1",
    seed: int = 1,
) -> AsyncIterator[RunningShop]:
    """Run a shop, by default on a database of its own, until the block is left."""
    world, clock = world or FakeWorld(), clock or FakeClock()
    opened = database or await fresh_database()
    app = create_app(
        settings,
        database=opened,
        clock=clock,
        random=random.Random(seed),
        transport=world,
        parts=parts,
    )
    transport = httpx.ASGITransport(app, client=(peer, 50000), raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop:8081") as http,
    ):
        shop = RunningShop(http, world, clock, opened)
        if settings.uses_webhooks and wait_for_secret:
            await until(lambda: bool(world.calls("POST", "/v1/webhook_endpoints")))
            await _until_secret_is_stored(opened)
        yield shop
    if database is None:
        await opened.close()


async def fresh_database() -> Database:
    return await open_database(DATABASE_URL)


async def until(
    holds: Callable[[], bool | Awaitable[bool]], tell: Callable[[], str] = lambda: ""
) -> None:
    """Wait for it, however slow the machine is; ``tell`` says what there is instead."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"this never came to pass; {tell()}") from None


async def _until_secret_is_stored(database: Database) -> None:
    async def is_stored() -> bool:
        async with database.transaction() as transaction:
            query = "SELECT url FROM webhook_endpoints WHERE secret IS NOT NULL"
            return await transaction.fetch_one(query) is not None

    await until(is_stored)


async def for_a_while() -> None:
    """Long enough for several retries of a shop with QUICK settings.

    For what must not happen. What must happen is waited for with ``until``.
    """
    await asyncio.sleep(0.08)


def _found(resource: dict[str, Any] | None) -> httpx.Response:
    if resource is None:
        return httpx.Response(404, json={"code": "not_found", "definite": True})
    return httpx.Response(200, json=resource)
