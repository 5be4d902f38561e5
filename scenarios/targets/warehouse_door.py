"""The service's way to the warehouse, which can be made slow, or stand still for a while."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class WarehouseDoor:
    """``app`` behind a door. ``acted`` counts the calls that were held up here.

    ``is_met`` is set by the first of them.
    """

    app: ASGIApp
    acted: int = 0
    is_met: asyncio.Event = field(default_factory=asyncio.Event)
    _slower_s: float = 0.0
    _is_open: asyncio.Event = field(default_factory=asyncio.Event)
    _is_healed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._is_open.set()

    def slow_down(self, slower_s: float) -> None:
        """Let every answer take so many seconds longer; what was asked for has happened then."""
        self._slower_s = slower_s

    def speed_up(self) -> None:
        """Let the answers to calls that come now leave at once."""
        self._slower_s = 0.0

    def stop(self) -> None:
        """Hold whatever comes, before anything comes of it."""
        self._is_open.clear()

    def go_on(self) -> None:
        """Let in what was held."""
        self._is_open.set()

    def heal(self) -> None:
        """Hold nothing up any more, not even what has been slow so far."""
        self.speed_up()
        self.go_on()
        self._is_healed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request when the door lets it through."""
        slower_s = self._slower_s
        if slower_s or not self._is_open.is_set():
            self.acted += 1
            self.is_met.set()
        await self._is_open.wait()

        async def send_later(message: Message) -> None:
            if message["type"] == "http.response.start":
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(slower_s):
                        await self._is_healed.wait()
            await send(message)

        await self.app(scope, receive, send_later if slower_s else send)
