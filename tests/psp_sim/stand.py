"""A provider and scripted webhook sinks in virtual time: hours of retries take milliseconds."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from psp_sim.app import create_app
from psp_sim.settings import Settings, parsed_settings
from scenarios.world import World
from scenarios.world.hosts import Host
from scenarios.world.latency import NONE, LatencyProfile
from scenarios.world.ports import HostEnvironment
from scenarios.world.world import START_2026

API_KEY = "sk_test_stand"
PROVIDER_URL = "http://psp:8080"
SEED = 7
NETWORK = LatencyProfile(low_s=0.001, high_s=0.001)


@dataclass(frozen=True)
class Reply:
    """How a sink answers one call: after a delay, with a status, or (None) never.

    With ``pieces`` its body comes that many times, with the delay before each.
    """

    status: int | None = 200
    delay_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: int = 0


@dataclass
class Call:
    """One webhook as it arrived. ``at`` is the true time in Unix seconds."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes
    ended_at: float | None = None

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def timestamp_s(self) -> int:
        return int(self.headers["webhook-timestamp"])

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.event["type"]

    @property
    def reference(self) -> str:
        return self.event["data"]["reference"]


class Sink:
    """An endpoint that keeps every call. ``script`` answers the first calls, ``reply`` the rest."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.url = f"http://{name}:9000/hooks"
        self.calls: list[Call] = []
        self.script: list[Reply] = []
        self.reply: Reply | Callable[[Call], Reply] = Reply()
        self.under_way = 0
        self.under_way_max = 0
        self._now = now

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = (await receive())["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = Call(self._now(), scope["path"], headers, body)
        self.calls.append(call)
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            await self._answer(self._reply_to(call), receive, send)
        finally:
            call.ended_at = self._now()
            self.under_way -= 1

    def _reply_to(self, call: Call) -> Reply:
        if self.script:
            return self.script.pop(0)
        return self.reply(call) if callable(self.reply) else self.reply

    async def _answer(self, reply: Reply, receive: Any, send: Any) -> None:
        if reply.status is None:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        for _ in range(reply.pieces):
            await asyncio.sleep(reply.delay_s)
            await send({"type": "http.response.body", "body": reply.body, "more_body": True})
        await send({"type": "http.response.body", "body": reply.body})

    def of_type(self, event_type: str) -> list[Call]:
        return [call for call in self.calls if call.type == event_type]

    @property
    def types(self) -> list[str]:
        return [call.type.removeprefix("payment.") for call in self.calls]


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Stand:
    """The world of one test, a client of the provider's API, and the sinks."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world = world
        self.settings = settings
        self.sinks = {name: Sink(name, world.now) for name in ("sink", "second")}
        self._transport = world.transport_for()
        self._keys = 0
        world.add_host("psp", self._provider)
        for name, sink in self.sinks.items():
            world.add_host(name, functools.partial(_app_of, sink))

    def _provider(self, environment: HostEnvironment) -> Any:
        self._app = create_app(
            self.settings,
            database=environment.database,
            clock=environment.clock,
            random=environment.random,
            transport=environment.transport,
        )
        return self._app

    def psp_routes(self) -> list[Any]:
        """Return the routes of the provider that runs."""
        return list(self._app.routes)

    @property
    def sink(self) -> Sink:
        return self.sinks["sink"]

    @property
    def psp(self) -> Host:
        return self.world.host("psp")

    def now(self) -> float:
        return self.world.now()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Answer:
        """Call the API. A header that is None is left out; no answer raises httpx.HTTPError."""
        sent = {"authorization": f"Bearer {API_KEY}", **(headers or {})}
        request = httpx.Request(
            method,
            PROVIDER_URL + path,
            headers={name: value for name, value in sent.items() if value is not None},
            content=json.dumps(body).encode() if body is not None else content,
            extensions={"timeout": {"connect": timeout_s, "read": timeout_s}},
        )
        response = await (transport or self._transport).handle_async_request(request)
        text = (await response.aread()).decode()
        await response.aclose()
        return Answer(response.status_code, response.headers, text)

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status == 200, answer.text
        return answer.json

    async def get_all(self, path: str, limit: int = 100) -> list[Any]:
        """Return every page of a list."""
        rows: list[Any] = []
        cursor = ""
        while True:
            page = await self.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}")
            rows += page["data"]
            if page["next"] is None:
                return rows
            cursor = f"&after={page['next']}"

    def new_key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    async def create(self, body: Mapping[str, Any], key: str | None = None, **more: Any) -> Answer:
        """POST a payment as it is given."""
        headers = {"idempotency-key": key or self.new_key()}
        return await self.call("POST", "/v1/payments", body, headers=headers, **more)

    async def pay(self, reference: str = "order-1", key: str | None = None, **fields: Any) -> Any:
        """Make a payment that has to be accepted; return it."""
        answer = await self.create(payment_body(reference, **fields), key)
        assert answer.status == 201, answer.text
        return answer.json

    async def add_endpoint(self, name: str = "sink", **fields: Any) -> Any:
        body = {"url": self.sinks[name].url, **fields}
        answer = await self.call("POST", "/v1/webhook_endpoints", body)
        assert answer.status == 201, answer.text
        return answer.json

    async def deliveries(self, endpoint: Mapping[str, Any]) -> list[Any]:
        return await self.get_all(f"/v1/webhook_endpoints/{endpoint['id']}/deliveries")

    async def install(self, kind: str, **fields: Any) -> str:
        """Put a fault in force; return its id."""
        answer = await self.call("POST", "/_control/faults", {"kind": kind, **fields})
        assert answer.status == 201, answer.text
        return answer.json["data"][0]["id"]

    async def lift(self, fault_id: str | None = None) -> int:
        path = "/_control/faults" + (f"/{fault_id}" if fault_id else "")
        answer = await self.call("DELETE", path)
        assert answer.status == 200, answer.text
        return answer.json["lifted"]

    async def fired(self) -> dict[str, int]:
        """Return how often each kind has fired."""
        return (await self.get("/_control/faults"))["fired"]


def _app_of(sink: Sink, _: HostEnvironment) -> Any:
    return sink


def payment_body(reference: str = "order-1", **fields: Any) -> dict[str, Any]:
    """Return a valid body with some fields other than usual."""
    return {"amount": 1099, "currency": "EUR", "reference": reference, **fields}


def scope_of(method: str, path: str, client: tuple[str, int] | None = ("127.0.0.1", 1)) -> Any:
    """Return the scope of a request that goes straight into the application."""
    headers = [(b"authorization", f"Bearer {API_KEY}".encode()), (b"idempotency-key", b"k")]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
        "client": client,
    }


def play(
    main: Callable[[Stand], Awaitable[Any]],
    *,
    world_seed: int = 1,
    start: float = START_2026,
    disk: LatencyProfile = NONE,
    **settings: Any,
) -> Any:
    """Run a test's story in a world of its own; nothing may break unseen.

    ``settings`` are the provider's, as a configuration file would have them.
    """
    world = World(world_seed, start=start, latency=NETWORK, disk_delays=disk)
    given = {"seed": SEED, "api_key": API_KEY, "settle_after": "2s", **settings}
    faults = tuple(given.pop("faults", ()))
    stand = Stand(world, Settings(**parsed_settings(given), faults=faults))

    async def run() -> Any:
        await world.start("sink", "second", "psp")
        return await main(stand)

    result = world.run(run())
    assert world.application_errors == []
    return result


def in_world(**options: Any) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Make an async test whose first argument is a stand into a test that plays in a world."""

    def decorate(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(**arguments: Any) -> None:
            play(lambda stand: test(stand, **arguments), **options)

        del run.__wrapped__  # type: ignore[attr-defined]
        parameters = list(inspect.signature(test).parameters.values())[1:]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return decorate
