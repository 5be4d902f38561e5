"""Looking from outside: the public orders, the provider's books, the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from scenarios.api import GONE, PAGE, BadAnswer
from scenarios.endpoints import read_endpoints
from scenarios.errors import Unreachable
from scenarios.evidence import Evidence, FiredFault, OrderSeen, is_stray
from scenarios.moments import moment
from scenarios.stage import Stage


async def look_at_orders(stage: Stage, orders: Sequence[OrderSeen]) -> None:
    """Note each order's public status; a shop that does not answer now is asked again later."""
    for order in list(orders):
        asked_at = stage.now()
        try:
            status = await stage.shop.status_of(order.id)
        except (httpx.HTTPError, BadAnswer):
            continue
        order.saw(stage.now(), status, asked_at)


async def read_deliveries(
    stage: Stage, endpoints: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return every delivery to these endpoints. Raises httpx.HTTPError or BadAnswer."""
    return [
        delivery
        for endpoint in endpoints
        for delivery in await stage.provider.get_all(
            f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
        )
    ]


async def _captures(stage: Stage) -> dict[str, float]:
    """Return when each payment succeeded, by its id."""
    found: dict[str, float] = {}
    after = ""
    while True:
        page = await stage.provider.get(f"/v1/events?type=payment.succeeded&limit={PAGE}{after}")
        for event in page["data"]:
            found.setdefault(event["data"]["id"], moment(event["timestamp"]))
        if page["next"] is None or not page["data"]:
            return found
        after = f"&after={page['next']}"


async def unknown_orders(
    stage: Stage, orders: Sequence[OrderSeen], payments: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the orders that were paid for though the shop says that it has no such order."""
    known = {order.id for order in orders}
    found = []
    for payment in payments:
        reference = payment["reference"]
        if payment["status"] != "succeeded" or is_stray(payment) or reference in known:
            continue
        known.add(reference)
        try:
            await stage.shop.status_of(reference)
        except BadAnswer as answer:
            if answer.status in GONE:
                found.append(reference)
        except httpx.HTTPError:
            # Who does not answer at all has not said that there is no such order.
            continue
    return found


async def final_reads(
    stage: Stage,
    orders: Sequence[OrderSeen],
    fired: Sequence[FiredFault],
    waited_s: float,
    waiting_for: str | None,
) -> Evidence:
    """Read everything once more, when all is quiet. Raises Unreachable."""
    await look_at_orders(stage, orders)
    try:
        return Evidence(
            orders=orders,
            payments=(payments := await stage.provider.get_all("/v1/payments")),
            unknown_orders=await unknown_orders(stage, orders, payments),
            captured_at=await _captures(stage),
            endpoints=(endpoints := await read_endpoints(stage)),
            deliveries=await read_deliveries(stage, endpoints),
            shipments=list(stage.warehouse.shipments),
            fired=fired,
            ledger=await stage.shop.ledger(),
            waited_s=waited_s,
            still_waiting_for=waiting_for,
        )
    except (httpx.HTTPError, BadAnswer) as problem:
        raise Unreachable(f"the final reads failed: {problem}") from problem
