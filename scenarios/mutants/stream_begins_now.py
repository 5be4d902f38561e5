"""Opens the event stream with what happens from now on, each time that it starts.

People write: ``stream = EventSource(url)``, which remembers the last event as long as it lives, and
store what comes, but not where they were.
Breaks because things happen while the shop is being restarted.
Shows as orders that are paid for and stay pending, if they were paid for in these seconds.
"""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakSet

import httpx

from scenarios.mutants.mutant import Mutant
from shop.parts import Parts
from shop.ports import Shop
from shop.psp_client import PspClient
from shop.tracking.read_stream import read_stream

# One memory per running shop, as a process would have.
_STARTED: WeakSet[Shop] = WeakSet()


class _Forgetful(PspClient):
    def event_stream_request(self, last_event_id: str | None) -> httpx.Request:
        request = super().event_stream_request(last_event_id)
        request.headers.pop("last-event-id", None)
        return httpx.Request("GET", request.url.copy_with(query=None), headers=request.headers)


async def read_from_now(shop: Shop) -> bool:
    """Read what happens from now on; a connection that breaks off is taken up where it was."""
    if shop in _STARTED:
        return await read_stream(shop)
    _STARTED.add(shop)
    settings = shop.settings
    client = _Forgetful(
        shop.transport,
        base_url=settings.psp,
        key=settings.psp_key,
        timeout_s=settings.psp_timeout_s,
    )
    return await read_stream(replace(shop, provider=client))


MUTANT = Mutant(
    "stream_begins_now",
    "M37",
    "follows the event stream from its own start on: what happened in a restart is never seen",
    Parts(read_stream=read_from_now),
)
