"""The real provider inside the harness's own process, served on a real socket.

That starts in milliseconds, and lets the harness stand at both ends of the wire: it sees the exact
moment at which a webhook leaves and is answered, and can cut the line.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from psp_sim.app import create_app
from psp_sim.ports import Clock
from psp_sim.server import real_transport
from psp_sim.settings import Settings
from scenarios.targets.processes import listening, serving
from sqlport import open_database


class Line:
    """The line between provider and service; while it is cut nothing is refused or arrives."""

    def __init__(self) -> None:
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self.swallowed = 0

    def cut(self) -> None:
        """Let nothing through."""
        self._is_whole.clear()

    def repair(self) -> None:
        """Let everything through again."""
        self._is_whole.set()

    async def passing(self) -> bool:
        """Wait while the line is cut; tell whether it was whole."""
        if self._is_whole.is_set():
            return True
        self.swallowed += 1
        await self._is_whole.wait()
        return False


class WebhookWatch:
    """Stands by at every webhook: called before it leaves, and after its answer has come."""

    async def before_request(self) -> None:
        """Let a webhook leave."""

    async def after_response(self, response: httpx.Response) -> httpx.Response:
        """Return the answer that arrives at the provider. May raise httpx.TransportError."""
        return response


@dataclass
class WatchedTransport(httpx.AsyncBaseTransport):
    """The provider's way to the service."""

    inner: httpx.AsyncBaseTransport
    line: Line
    watch: WebhookWatch = field(default_factory=WebhookWatch)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a webhook, unless the line is cut."""
        if not await self.line.passing():
            raise httpx.ReadTimeout("the line was cut", request=request)
        await self.watch.before_request()
        response = await self.inner.handle_async_request(request)
        await self.line.passing()
        return await self.watch.after_response(response)

    async def aclose(self) -> None:
        """Close every connection."""
        await self.inner.aclose()


@dataclass(frozen=True)
class CutLine:
    """The service's way to the provider. What was sent into a cut line never arrives."""

    app: ASGIApp
    line: Line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, unless the line is cut."""

        async def send_on(message: Message) -> None:
            await self.line.passing()
            await send(message)

        if await self.line.passing():
            await self.app(scope, receive, send_on)
        else:
            scope["extensions"]["connection.abort"]()


@dataclass(frozen=True)
class EmbeddedProvider:
    """``url`` is what the service calls; ``harness_url`` reaches it even if the line is cut."""

    url: str
    harness_url: str
    transport: WatchedTransport


@asynccontextmanager
async def embedded_provider(
    settings: Settings, clock: Clock, source: random.Random
) -> AsyncIterator[EmbeddedProvider]:
    """Run a provider with its books in memory. Raises Unreachable for a port that is taken."""
    line = Line()
    transport = WatchedTransport(
        real_transport(settings.connect_timeout_s, allow_public=settings.allow_public_targets), line
    )
    database = await open_database("sqlite:///:memory:")
    try:
        app = create_app(
            settings, database=database, clock=clock, random=source, transport=transport
        )
        with listening(settings.port, "[psp] port") as bound:
            async with (
                app.router.lifespan_context(app),
                serving(app) as harness_url,
                serving(CutLine(app, line), bound) as url,
            ):
                try:
                    yield EmbeddedProvider(url, harness_url, transport)
                finally:
                    line.repair()
                    app.state.stop_waiting()
    finally:
        await transport.aclose()
        await database.close()
