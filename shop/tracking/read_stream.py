"""One connection of the event stream comes in; what it brings goes into the inbox as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from shop import event_store
from shop.domain.errors import ProviderUnavailable
from shop.domain.event_stream import EventStreamReader
from shop.ports import Shop
from shop.settings import EVENT_STREAM
from shop.tracking.event_log import take_in


async def read_stream(shop: Shop) -> bool:
    """Read one connection to its end; return whether it brought anything new.

    Raises ProviderUnavailable or UnreadableAnswer if it brought nothing.
    """
    async with shop.database.transaction() as transaction:
        last_event_id = await event_store.load_cursor(transaction)
    request = shop.provider.event_stream_request(last_event_id)
    shop.measured.requests[EVENT_STREAM] += 1
    brought = 0
    try:
        async with asyncio.timeout(shop.settings.psp_timeout_s):
            response = await shop.transport.handle_async_request(request)
        try:
            if response.status_code != 200:
                raise ProviderUnavailable(f"the provider answered {response.status_code}")
            shop.measured.held[EVENT_STREAM] += 1
            try:
                async for new in _taken_in(shop, response):
                    brought += new
            finally:
                shop.measured.held[EVENT_STREAM] -= 1
        finally:
            await response.aclose()
    except (httpx.HTTPError, TimeoutError) as problem:
        if not brought:
            raise ProviderUnavailable(f"{type(problem).__name__} {problem}".rstrip()) from problem
    shop.measured.useless[EVENT_STREAM] += brought == 0
    return brought > 0


async def _taken_in(shop: Shop, response: httpx.Response) -> AsyncIterator[int]:
    """Take in what each piece of the stream completes; yield how much of it was new.

    The provider breaks every silence with a comment, so a long one means a dead connection. Raises
    TimeoutError, httpx.HTTPError or UnreadableAnswer.
    """
    reader, stream = EventStreamReader(), response.aiter_raw()
    while True:
        try:
            async with asyncio.timeout(shop.settings.stream_silence_s):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        bodies = [event.data.encode() for event in reader.feed(chunk)]
        yield await take_in(shop, bodies, EVENT_STREAM)
