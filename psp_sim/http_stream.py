"""Server-sent events: the log of events as a response that goes on until one side leaves.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from psp_sim.bell import wait_for_ring
from psp_sim.database_away import DATABASE_AWAY, database_unavailable
from psp_sim.event_store import events_after
from psp_sim.provider import Provider

BATCH = 100
KEEP_ALIVE_S = 15.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """Sends every event after a position in the log, as soon as it is stored."""

    def __init__(self, provider: Provider, after: int) -> None:
        super().__init__()
        self._provider = provider
        self._after = after
        self._is_gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes away, or the provider stops: then the end is a clean one."""
        watcher = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _send(send, ": connected\n\n")
            await self._pass_on(send)
            if self._is_outage():
                _break_off(scope)
            elif not self._is_gone:
                await send({"type": "http.response.body", "body": b""})
        except DATABASE_AWAY as away:
            database_unavailable(away)
            _break_off(scope)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def _pass_on(self, send: Send) -> None:
        provider = self._provider
        while True:
            ring = provider.event_stored.next_ring()
            if self._is_gone or provider.stopping.is_set() or self._is_outage():
                return
            async with provider.database.transaction() as transaction:
                events = await events_after(transaction, self._after, BATCH)
            if events:
                text = "".join(_block(*event) for _, *event in events)
                await _send(send, text)
                self._after = events[-1][0]
                continue
            await wait_for_ring(ring, KEEP_ALIVE_S)
            if not ring.is_set():
                await _send(send, ": still here\n\n")

    def _is_outage(self) -> bool:
        provider = self._provider
        now, scale = provider.clock.now(), provider.settings.time_scale
        return provider.faults.outage(now, scale) is not None

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        self._provider.event_stored.ring()


def _break_off(scope: Scope) -> None:
    """Leave without an end, as an outage does to a connection that is open."""
    abort = scope.get("extensions", {}).get("connection.abort")
    if abort is not None:
        abort()


def _block(event_id: str, event_type: str, body: str) -> str:
    # A body is JSON without line breaks, so one data line holds it.
    return f"id: {event_id}\nevent: {event_type}\ndata: {body}\n\n"


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
