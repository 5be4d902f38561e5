"""The steps of a scenario: what staff and payers do while it is played."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios import endpoints, payers
from scenarios.evidence import OrderSeen
from scenarios.scenario import REFUND, REFUND_AT_CONSOLE, STEPS_OF_PAYERS, STEPS_ON_ENDPOINTS, Step
from scenarios.stage import Stage


async def carry_out(stage: Stage, orders: Sequence[OrderSeen], step: Step) -> bool:
    """Do a step; tell whether it is done. Raises httpx.HTTPError or BadAnswer."""
    if step.do == "rotate_secret":
        return await stage.shop.rotate_secret(f"rotate-{step.at_s:g}")
    if step.do in STEPS_ON_ENDPOINTS:
        return await endpoints.carry_out(stage, step.do, f"{step.do}-{step.at_s:g}")
    order = next((each for each in orders if each.number == step.order), None)
    if order is None:
        return False
    # Nobody knows the pace of a stranger: what is to come second waits for the first.
    waits = stage.patience is not None
    needs_goods_gone = step.do == REFUND_AT_CONSOLE or (step.do == REFUND and waits)
    if needs_goods_gone and order.id not in {one.order for one in stage.warehouse.shipments}:
        # Whose money is back before the goods leave need not send them.
        return False
    if step.do == REFUND_AT_CONSOLE:
        key = f"console-{order.id}-{step.at_s:g}"
        return await payers.refund(stage.provider, order, step.share, key)
    if step.do in STEPS_OF_PAYERS:
        return await payers.carry_out(stage.provider, step.do, order, waits=waits)
    return await _refund(stage, order, step)


async def _refund(stage: Stage, order: OrderSeen, step: Step) -> bool:
    if order.amount_minor is None:
        return False
    amount_minor = max(1, int(order.amount_minor * step.share))
    key = f"refund-{order.id}-{step.at_s:g}"
    is_taken_on = await stage.shop.refund(order.id, amount_minor, key)
    if is_taken_on:
        order.refunds_wished.append(amount_minor)
    return is_taken_on
