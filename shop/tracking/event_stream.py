"""``event-stream``: one connection on which the provider sends every event as it happens.

The id of the last event is stored with what came of it, and named when the connection is opened
again. So a restart, a disconnect or a silence on the line loses nothing.
"""

from __future__ import annotations

import asyncio
import logging

from shop.database_away import log_failure
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.retry import delay_after
from shop.parts import Parts
from shop.ports import ReadStream, Shop
from shop.settings import EVENT_STREAM
from shop.tracking.webhooks import inbox_worker
from shop.workers import Work

_LOG = logging.getLogger("shop")


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Hold one connection, for ever."""
    return [_follow(shop, parts.read_stream), inbox_worker(shop, parts)]


async def _follow(shop: Shop, read: ReadStream) -> None:
    failures = 0
    while True:
        try:
            failures = 0 if await read(shop) else failures + 1
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
