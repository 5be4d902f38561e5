"""``webhooks``: the provider tells; endpoint and inbox are looked after."""

from __future__ import annotations

from functools import partial

from shop.domain.inbox import InboxRow
from shop.endpoint_store import Endpoint
from shop.parts import Parts
from shop.ports import Shop
from shop.process_inbox import take_due_events
from shop.queues import Due
from shop.register_endpoint import take_endpoint_work
from shop.workers import LONGEST_SLEEP_S, Work, work_off


def workers(shop: Shop, parts: Parts) -> list[Work]:
    """Each does one thing at a time."""

    async def take_endpoint(_room: int) -> Due[Endpoint]:
        return await take_endpoint_work(shop)

    return [
        inbox_worker(shop, parts),
        work_off(
            "looking after the webhook endpoint",
            take_endpoint,
            partial(parts.look_after_endpoint, shop),
            wake=shop.wake.endpoint,
            clock=shop.clock,
            at_once=1,
        ),
    ]


def inbox_worker(shop: Shop, parts: Parts) -> Work:
    """Works off what came into the inbox, by webhook or from log or stream."""

    async def take_events(_room: int) -> Due[list[InboxRow]]:
        return await take_due_events(shop)

    return work_off(
        "processing events",
        take_events,
        partial(parts.process_batch, shop, process=parts.process_event),
        wake=shop.wake.inbox,
        clock=shop.clock,
        at_once=1,
        longest_sleep_s=LONGEST_SLEEP_S,
    )
