"""``event-stream``: one connection on which the provider sends every event as it happens.

The id of the last event is stored with what came of it, and named when the connection is opened
again. So a restart, a disconnect or a silence on the line loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import httpx

from shop import event_store
from shop.database_away import log_failure
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.event_stream import EventStreamReader
from shop.domain.retry import delay_after
from shop.parts import Parts
from shop.ports import Shop
from shop.settings import EVENT_STREAM
from shop.tracking.event_log import take_in
from shop.tracking.webhooks import inbox_worker
from shop.workers import Work

_LOG = logging.getLogger("shop")


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Hold one connection, for ever."""
    return [_follow(shop), inbox_worker(shop, parts)]


async def _follow(shop: Shop) -> None:
    failures = 0
    while True:
        try:
            failures = 0 if await _read_stream(shop) else failures + 1
        except (ProviderUnavailable, UnreadableAnswer) as problem:
            failures += 1
            shop.measured.failed[EVENT_STREAM] += 1
            _LOG.info("the event stream broke off: %s", problem.detail)
        except Exception as problem:
            failures += 1
            log_failure("following the event stream", "failed; it will be opened again", problem)
        settings = shop.settings
        delay_s = delay_after(
            failures, first_s=settings.retry_first_delay_s, cap_s=settings.retry_delay_cap_s
        )
        await asyncio.sleep(delay_s)


async def _read_stream(shop: Shop) -> bool:
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
