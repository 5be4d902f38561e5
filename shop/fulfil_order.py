"""A paid order's fulfilment comes in from the outbox; the warehouse is asked until it says yes."""

from __future__ import annotations

import httpx
import msgspec

from shop import queues, store
from shop.domain.fulfilment import Fulfilment
from shop.domain.order import fulfilled
from shop.domain.retry import delay_after
from shop.plain_call import exchange
from shop.ports import FulfilOrder, Shop
from shop.queues import Due, Shipment


async def fulfil_order(shop: Shop, fulfilment: Fulfilment) -> bool:
    """Ask the warehouse once; True when it has taken the fulfilment on.

    The fulfilment's own id goes with it, so that the warehouse can drop a repeat: when an answer is
    lost, asking again is the only way to know.
    """
    if not shop.settings.warehouse_url:
        return True
    body = {
        "order": fulfilment.order_id,
        "fulfilment": fulfilment.id,
        "items": [{"sku": item.sku, "quantity": item.quantity} for item in fulfilment.items],
    }
    settings = shop.settings
    try:
        answer = await exchange(
            shop.transport,
            "POST",
            settings.warehouse_url,
            {"content-type": "application/json"},
            msgspec.json.encode(body),
            timeout_s=settings.warehouse_timeout_s,
        )
    except (httpx.HTTPError, TimeoutError):
        return False
    return 200 <= answer.status < 300


async def take_due_shipments(shop: Shop, room: int) -> Due[Shipment]:
    """Fulfilments not taken on yet, leased for as long as asking can take."""
    async with shop.database.transaction() as transaction:
        return await queues.take_shipments(
            transaction,
            shop.clock.now(),
            room,
            lease_s=2 * shop.settings.warehouse_timeout_s,
            look_s=shop.settings.look_interval_s,
        )


async def carry_out_shipment(shop: Shop, shipment: Shipment, *, ask: FulfilOrder) -> None:
    """Ask, and write down that the order is fulfilled or when to ask again."""
    fulfilment, settings = shipment.fulfilment, shop.settings
    if await ask(shop, fulfilment):
        await _record_fulfilled(shop, fulfilment)
        return
    delay_s = delay_after(
        shipment.attempt, first_s=settings.retry_first_delay_s, cap_s=settings.retry_delay_cap_s
    )
    async with shop.database.transaction() as transaction:
        due_at = shop.clock.now() + delay_s
        await queues.postpone_shipment(transaction, fulfilment.id, due_at)
    shop.wake.fulfilments.set()


async def _record_fulfilled(shop: Shop, fulfilment: Fulfilment) -> None:
    async with shop.database.transaction() as transaction:
        # The order first, as everywhere: two that lock in different orders wait for each other.
        order = await store.lock_order(transaction, fulfilment.order_id)
        assert order is not None, "a fulfilment belongs to an order"
        await store.mark_delivered(transaction, fulfilment.id)
        moved = fulfilled(order)
        await store.save_order(transaction, order, moved)
        if moved != order:
            step = store.Step(shop.clock.now(), "warehouse", "fulfilled")
            await store.insert_step(transaction, moved, step)
