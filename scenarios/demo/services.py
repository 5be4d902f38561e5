"""Each lane's provider and shop as processes, with a watched wire between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from scenarios.api import Api
from scenarios.demo.lane import Lane
from scenarios.demo.pace import LIVE, Pace
from scenarios.demo.tap import NO_ANSWER, Passed, Tap
from scenarios.errors import Unreachable
from scenarios.targets.processes import Started, serving, started
from scenarios.warehouse import Warehouse
from shop.settings import POLLING, WEBHOOKS, WEBHOOKS_AND_RECONCILIATION

API_KEY = "sk_test_demo"
_TIMEOUT_S = 5.0
_PAYMENT = "/v1/payments/"
WEBHOOKS_PATH = "/webhooks/psp"

_PROVIDER = 'port = 0\nquiet = true\ndatabase = "sqlite:///:memory:"\nconnect_timeout = "2s"\n'
# A lost webhook has failed after that; a busy shop must be able to answer in it.
_ATTEMPT_S, _ATTEMPT_S_MIN = 2.0, 1.0
# Quick enough to be seen by an audience, and of the same shape as what providers do.
_RETRIES_S = (20.0, 60.0, 120.0)
_RETRY_DELAY_CAP_S = 4.0
_NEVER_S = 10_000_000.0
_NEVER = {"--reconcile-interval": _NEVER_S, "--reconcile-interval-cap": _NEVER_S}
_ASKS_SOON = {
    "--reconcile-after": 6.0,
    "--reconcile-interval": 4.0,
    "--reconcile-interval-cap": 15.0,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A shop to show: its module, how it learns outcomes, its further options in seconds."""

    name: str
    title: str
    command: tuple[str, ...]
    tracking: str
    options: Mapping[str, float]


KINDS = (
    Kind("polling", "Polling", ("-m", "shop"), POLLING, _NEVER),
    Kind(
        "webhooks",
        "Webhooks, not idempotent",
        ("-m", "scenarios.mutants", "no_dedupe"),
        WEBHOOKS,
        {},
    ),
    Kind(
        "reconciliation",
        "Webhooks + reconciliation",
        ("-m", "shop"),
        WEBHOOKS_AND_RECONCILIATION,
        _ASKS_SOON,
    ),
)

Tell = Callable[[Lane, str, str], None]


@dataclass
class Services:
    """One lane's processes and the ways to them. ``tell(lane, direction, outcome)`` hears all."""

    kind: Kind
    lane: Lane
    transport: httpx.AsyncBaseTransport
    tell: Tell
    now: Callable[[], float]
    folder: Path
    pace: Pace = LIVE
    provider: Api = field(init=False)
    shop: Api = field(init=False)
    processes: list[Started] = field(default_factory=list)
    on_start: Callable[[Started], None] = lambda _: None

    def __post_init__(self) -> None:
        self.to_provider = Tap(self.transport, self._asked)
        self.to_shop = Tap(self.transport, self._told)
        self.warehouse = Warehouse(self.now)
        self._restart = asyncio.Event()
        self._polling_interval_s = 3.0
        self._delivered_up_to = ""
        self.ready = asyncio.Event()

    @property
    def is_webhook_shop(self) -> bool:
        """Whether the provider calls this shop."""
        return self.kind.tracking != POLLING

    async def run(self, polling_interval_s: float) -> None:
        """Run until cancelled. Raises Unreachable when a process ends by itself."""
        self._polling_interval_s = polling_interval_s
        async with AsyncExitStack() as stack:
            warehouse_url = await stack.enter_async_context(serving(self.warehouse.app))
            psp_tap_url = await stack.enter_async_context(serving(self.to_provider.app))
            self.shop_tap_url = await stack.enter_async_context(serving(self.to_shop.app))
            provider = await stack.enter_async_context(
                started(
                    "provider",
                    self._provider_command(),
                    self.folder / "psp.log",
                    in_own_session=True,
                )
            )
            self.on_start(provider)
            self.to_provider.target = provider.url
            authorization = {"authorization": f"Bearer {API_KEY}"}
            self.provider = Api(provider.url, self.transport, _TIMEOUT_S, authorization)
            while True:
                await self._run_shop(provider, psp_tap_url, warehouse_url)

    async def _run_shop(self, provider: Started, psp_url: str, warehouse_url: str) -> None:
        """Run the shop until it has to start again with other settings; its orders stay."""
        self._restart.clear()
        command = self._shop_command(psp_url, warehouse_url)
        log = self.folder / "shop.log"
        async with started("shop", command, log, in_own_session=True) as shop:
            self.on_start(shop)
            self.to_shop.target = shop.url
            self.shop = Api(shop.url, self.transport, _TIMEOUT_S)
            self.ready.set()
            async with _first_of(
                self._restart.wait(), provider.process.wait(), shop.process.wait()
            ):
                pass
            if not self._restart.is_set():
                raise Unreachable(
                    f"a process of the lane {self.kind.name} ended by itself: the demo ends too"
                )
            self.ready.clear()

    def poll_every(self, interval_s: float) -> None:
        """Start the polling shop again with another interval."""
        if interval_s != self._polling_interval_s:
            self._polling_interval_s = interval_s
            if self.kind.tracking == POLLING:
                self._restart.set()

    async def send_again(self) -> None:
        """Have the provider try at once what it would try later."""
        if not self.is_webhook_shop:
            return
        for endpoint in await self.provider.get_all("/v1/webhook_endpoints"):
            again = [
                self.provider.call("POST", f"/v1/deliveries/{delivery['id']}/redeliver")
                for delivery in await self._not_delivered(endpoint["id"])
            ]
            await asyncio.gather(*again)

    async def _not_delivered(self, endpoint_id: str) -> list[dict[str, Any]]:
        """Return what has been tried in vain; pages that are all delivered are not read again."""
        found: list[dict[str, Any]] = []
        cursor: str | None = self._delivered_up_to
        while cursor is not None:
            path = f"/v1/webhook_endpoints/{endpoint_id}/deliveries?limit=100{cursor}"
            page = await self.provider.get(path)
            if page["next"] and all(one["state"] == "delivered" for one in page["data"]):
                self._delivered_up_to = f"&after={page['next']}"
            found += [one for one in page["data"] if one["state"] == "waiting"]
            cursor = f"&after={page['next']}" if page["next"] else None
        return found

    def _provider_command(self) -> list[str]:
        config = self.folder / "psp.toml"
        retries = ",".join(f"{self.pace.of(retry_s)}s" for retry_s in _RETRIES_S)
        attempt_s = max(self.pace.of(_ATTEMPT_S), _ATTEMPT_S_MIN)
        config.write_text(
            f'{_PROVIDER}api_key = "{API_KEY}"\n'
            f'attempt_timeout = "{attempt_s}s"\nretry_schedule = "{retries}"\n'
        )
        return ["-m", "psp_sim", "serve", "--config", str(config)]

    def _shop_command(self, psp_url: str, warehouse_url: str) -> list[str]:
        options = {
            "--port": "0",
            "--database": f"sqlite:///{self.folder}/shop.sqlite3",
            "--psp": psp_url,
            "--psp-key": API_KEY,
            "--public-url": self.shop_tap_url,
            "--warehouse-url": f"{warehouse_url}/fulfilments",
            "--tracking": self.kind.tracking,
            "--polling-interval": f"{self._polling_interval_s}s",
            "--retry-delay-cap": f"{self.pace.of(_RETRY_DELAY_CAP_S)}s",
            **{name: f"{self.pace.of(live_s)}s" for name, live_s in self.kind.options.items()},
        }
        return [*self.kind.command, "serve", *(word for pair in options.items() for word in pair)]

    def _asked(self, passed: Passed) -> None:
        if passed.method != "GET":
            outcome = "failed" if passed.status == NO_ANSWER else "order"
            self.tell(self.lane, "question", outcome)
            return
        outcome = _worth(passed)
        self.lane.asked(outcome)
        self.tell(self.lane, "question", outcome)

    def _told(self, passed: Passed) -> None:
        self.lane.told(passed.status)
        outcome = "useful" if 200 <= passed.status < 300 else "refused"
        self.tell(self.lane, "webhook", outcome)


def _worth(passed: Passed) -> str:
    """Tell what an answer was worth: a payment that has settled is news, anything else is not."""
    if passed.status >= 400:
        return "failed"
    if passed.status == 304 or not passed.path.startswith(_PAYMENT):
        return "wasted"
    try:
        status = json.loads(passed.body).get("status")
    except ValueError:
        return "failed"
    return "useful" if status in ("succeeded", "failed") else "wasted"


@asynccontextmanager
async def _first_of(*waits: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
