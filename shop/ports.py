"""What comes into the shop from outside, and what its steps look like to each other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from shop.domain.catalogue import Item
from shop.domain.fulfilment import Fulfilment
from shop.domain.inbox import InboxRow
from shop.domain.measurements import Measurements
from shop.domain.order import Decision, Order
from shop.domain.payment import (
    NoAnswer,
    PaymentOutcome,
    PaymentRefused,
    PaymentReported,
    Refund,
)
from shop.domain.refund import WantedRefund
from shop.domain.webhook_signature import SignedWebhook
from shop.endpoint_store import Endpoint
from shop.psp_client import PspClient
from shop.settings import Settings
from sqlport import Database


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...


class Decide(Protocol):
    """What follows from learning this about an order's payment; pure."""

    def __call__(self, order: Order, outcome: PaymentOutcome, /) -> Decision: ...


@dataclass(frozen=True)
class WakeUps:
    """Set one of these after storing work, and its worker looks at once."""

    requests: asyncio.Event = field(default_factory=asyncio.Event)
    inbox: asyncio.Event = field(default_factory=asyncio.Event)
    fulfilments: asyncio.Event = field(default_factory=asyncio.Event)
    refunds: asyncio.Event = field(default_factory=asyncio.Event)
    checks: asyncio.Event = field(default_factory=asyncio.Event)
    endpoint: asyncio.Event = field(default_factory=asyncio.Event)
    events: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class EndpointHealth:
    """What the last look at our webhook endpoint at the provider found. Unix seconds."""

    state: str = "not looked at yet"
    problem: str | None = None
    repair: str | None = None
    repaired_at: float | None = None
    checked_at: float | None = None


@dataclass(frozen=True, eq=False)
class Shop:
    """Everything that a verb may reach. One per running shop."""

    settings: Settings
    database: Database
    clock: Clock
    random: random.Random
    transport: httpx.AsyncBaseTransport
    provider: PspClient
    decide: Decide
    wake: WakeUps = field(default_factory=WakeUps)
    read_events_now: asyncio.Event = field(default_factory=asyncio.Event)
    endpoint_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    endpoint_health: EndpointHealth = field(default_factory=EndpointHealth)
    measured: Measurements = field(default_factory=Measurements)
    etags: dict[str, str] = field(default_factory=dict)

    def new_id(self, prefix: str) -> str:
        """A fresh id such as ``ord_5f0c…`` with 96 random bits."""
        return f"{prefix}_{self.random.getrandbits(96):024x}"


class VerifyWebhook(Protocol):
    """Return if the webhook is genuine at ``now``; raise a WebhookRefused otherwise. Pure."""

    def __call__(
        self, webhook: SignedWebhook, secrets: Sequence[str], /, *, now: float, tolerance_s: float
    ) -> None: ...


class ReceiveWebhook(Protocol):
    """Take in a genuine webhook. Returning means that the provider is answered 200."""

    async def __call__(self, shop: Shop, webhook: SignedWebhook, /) -> None: ...


class ProcessEvent(Protocol):
    """Turn one stored event into its effects. Raising means that it is tried again later."""

    async def __call__(self, shop: Shop, row: InboxRow, /) -> None: ...


class ProcessBatch(Protocol):
    """Process stored events one after the other; what fails has to be due again afterwards."""

    async def __call__(
        self, shop: Shop, rows: list[InboxRow], /, *, process: ProcessEvent
    ) -> None: ...


class PlaceOrder(Protocol):
    """Take a basket on: store the order, and see to it that its payment is requested."""

    async def __call__(
        self, shop: Shop, items: Sequence[Item], email: str, currency: str | None, /
    ) -> Order: ...


class RefundOrder(Protocol):
    """Take a wish to refund on: store it, and see to it that the provider is asked."""

    async def __call__(
        self,
        shop: Shop,
        order_id: str,
        amount_minor: int | None,
        reason: str | None,
        request_key: str | None,
        /,
    ) -> WantedRefund: ...


class RequestPayment(Protocol):
    """Ask the provider once for an order's money, with the key that was stored for it."""

    async def __call__(
        self, shop: Shop, order: Order, idempotency_key: str, /
    ) -> PaymentOutcome: ...


class FindOldPayment(Protocol):
    """What an earlier request made, should the provider no longer know its key; None to ask now."""

    async def __call__(
        self, shop: Shop, order: Order, attempt: int, /
    ) -> PaymentReported | NoAnswer | None: ...


class RequestRefund(Protocol):
    """Ask the provider once for a refund, with the key that was stored with the wish."""

    async def __call__(
        self, shop: Shop, payment_id: str, wanted: WantedRefund, /
    ) -> Refund | PaymentRefused | NoAnswer: ...


class FulfilOrder(Protocol):
    """Ask the warehouse once; True when it has taken the fulfilment on."""

    async def __call__(self, shop: Shop, fulfilment: Fulfilment, /) -> bool: ...


class LookAfterEndpoint(Protocol):
    """Do what is to be done about our endpoint at the provider, and say when to look again."""

    async def __call__(self, shop: Shop, endpoint: Endpoint, /) -> None: ...


class CheckOrder(Protocol):
    """Ask the provider about one pending order and apply what it says."""

    async def __call__(self, shop: Shop, order: Order, /) -> None: ...


class ReadEventLog(Protocol):
    """Take in everything that the provider's event log has and we have not; how much that was."""

    async def __call__(self, shop: Shop, /) -> int: ...


class ReadStream(Protocol):
    """Read one connection of the event stream to its end; whether it brought anything new."""

    async def __call__(self, shop: Shop, /) -> bool: ...


@dataclass(frozen=True)
class Reconciliation:
    """The two ways to find out what no webhook told: order by order, and event by event."""

    check_order: CheckOrder
    read_events: ReadEventLog
