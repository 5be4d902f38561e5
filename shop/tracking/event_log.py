"""The provider's event log comes in page by page; what the shop has not seen goes into the inbox.

The last event's id is stored with the events, in one transaction, so nothing is read twice or left
out: not after a crash, not when many events carry the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from shop import event_store, store
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.retry import delay_after
from shop.ports import ReadEventLog, Shop
from shop.queues import Due
from shop.wire import EventHead, decode, order_named_in
from shop.workers import Work, work_off
from sqlport import Transaction

KIND = "event-log"
_PAGE = 100
_LOG = logging.getLogger("shop")


async def read_event_log(shop: Shop) -> int:
    """Read from the last event seen to the end; return how many events were new to the shop.

    Raises ProviderUnavailable or UnreadableAnswer; what was read before that is kept.
    """
    new = 0
    async with shop.database.transaction() as transaction:
        after = await event_store.load_cursor(transaction)
    while True:
        shop.measured.requests[KIND] += 1
        page = await shop.provider.list_events(after, _PAGE)
        bodies = [bytes(event) for event in page.data]
        found = await take_in(shop, bodies, KIND)
        shop.measured.useless[KIND] += found == 0
        new += found
        if page.next is None or not bodies:
            return new
        after = page.next


async def take_in(shop: Shop, bodies: Sequence[bytes], source: str) -> int:
    """Store events and, with them, that they were seen; return how many were new.

    Raises UnreadableAnswer if one has no id that can be stored: then none of them is stored.
    """
    heads = [decode(body, EventHead) for body in bodies]
    if not heads:
        return 0
    new = 0
    async with shop.database.transaction() as transaction:
        for head, body in zip(heads, bodies, strict=True):
            if await _concerns_us(transaction, head, body):
                new += await store.insert_event(
                    transaction, head.id, body.decode(), shop.clock.now(), source
                )
        await event_store.save_cursor(transaction, heads[-1].id)
    if new:
        shop.wake.inbox.set()
    return new


async def _concerns_us(transaction: Transaction, head: EventHead, body: bytes) -> bool:
    """Whether an event is about an order of ours; the provider may have other merchants' too.

    An order is stored before its payment is requested, so one that is not there now never will be.
    """
    if head.type.startswith("endpoint."):
        return True
    reference = order_named_in(body)
    if reference is None:
        return True
    # PostgreSQL takes no text with this character, not even to look for it.
    return "\0" not in reference and await store.load_order(transaction, reference) is not None


def event_log_workers(shop: Shop, read: ReadEventLog) -> list[Work]:
    """Read the log at growing intervals while nothing is new, and at once when woken."""
    schedule = _Schedule(shop)
    return [
        work_off(
            "reading the event log",
            schedule.take,
            partial(schedule.carry_out, read),
            wake=shop.wake.events,
            clock=shop.clock,
            at_once=1,
        )
    ]


class _Schedule:
    """When to read next. Not stored: after a restart the log is read at once."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._quiet = 0
        self._next_at = shop.clock.now()

    async def take(self, _room: int) -> Due[None]:
        now = self._shop.clock.now()
        if now >= self._next_at or self._shop.read_events_now.is_set():
            self._shop.read_events_now.clear()
            return Due([None], None)
        return Due([], self._next_at)

    async def carry_out(self, read: ReadEventLog, _item: None) -> None:
        new = 0
        try:
            new = await read(self._shop)
        except (ProviderUnavailable, UnreadableAnswer) as problem:
            self._shop.measured.failed[KIND] += 1
            _LOG.info("cannot read the event log: %s", problem.detail)
        finally:
            # After whatever went wrong: it would go wrong again at once, without end.
            self._put_off(new)

    def _put_off(self, new: int) -> None:
        settings = self._shop.settings
        self._quiet = 0 if new else self._quiet + 1
        delay_s = delay_after(
            max(self._quiet, 1),
            first_s=settings.reconcile_interval_s,
            cap_s=settings.reconcile_interval_cap_s,
        )
        self._next_at = self._shop.clock.now() + delay_s
