"""What happened to one order, step by step, as it was seen from outside the service.

It is put together from the evidence alone: the provider's books, the warehouse's, and what the
order's public page said. So it reads the same in virtual time, live, and for a service of any make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scenarios.evidence import Evidence, OrderSeen
from scenarios.report.timeline import Mark, TimelineStep

CUSTOMER, SHOP, PSP, WAREHOUSE = "customer", "shop", "psp", "warehouse"
STEPS_MAX = 40
# Faults that spoil a genuine call, or come beside it: what has to be refused.
HOSTILE = (
    "corrupt_signature",
    "wrong_secret",
    "missing_signature",
    "malformed_signature",
    "stale_timestamp",
    "future_timestamp",
    "tamper_body",
    "forge",
    "truncate_body",
    "oversize_body",
)


def orders_to_tell(evidence: Evidence, violations: Sequence[str]) -> list[OrderSeen]:
    """Return the orders that violations name; without any, the one that had most to go through."""
    said = " ".join(violations)
    named = [order for order in evidence.orders if order.id in said]
    named += [
        order
        for order in evidence.orders
        if order not in named and any(str(p["id"]) in said for p in evidence.payments_of(order.id))
    ]
    if named or not evidence.orders:
        return named[:2]
    return [max(evidence.orders, key=lambda order: _trouble(evidence, order))]


def steps_of(evidence: Evidence, order: OrderSeen, began: float) -> list[TimelineStep]:
    """Return the order's steps in order of time, counted from ``began``."""
    steps = [
        *_seen(order, began),
        *_payments(evidence, order, began),
        *_webhooks(evidence, order, began),
        *_shipments(evidence, order, began),
        *_incidents(evidence, order, began),
    ]
    return _shortened(sorted(steps, key=lambda step: step.at_s))


def beginning_of(evidence: Evidence) -> float:
    """Return when the first order was placed, in the world's seconds."""
    return min((order.placed_at for order in evidence.orders), default=0.0)


def moment(text: str) -> float:
    """Return an ISO 8601 time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def deliveries_of(evidence: Evidence, order: OrderSeen) -> list[Mapping[str, Any]]:
    """Return the deliveries that tell of the order's payments."""
    ids = {payment["id"] for payment in evidence.payments_of(order.id)}
    return [delivery for delivery in evidence.deliveries if delivery.get("payment") in ids]


def _trouble(evidence: Evidence, order: OrderSeen) -> int:
    made = [each for one in deliveries_of(evidence, order) for each in one["attempts"]]
    return len(made) + 10 * sum(len(attempt["faults"]) for attempt in made)


def _seen(order: OrderSeen, began: float) -> Iterator[TimelineStep]:
    price = "" if order.amount_minor is None else f" ({order.amount_minor} {order.currency})"
    yield TimelineStep(order.placed_at - began, CUSTOMER, SHOP, f"places the order{price}")
    for at, status in order.history:
        yield TimelineStep(at - began, SHOP, CUSTOMER, f"“{status}”", is_answer=True)


def _payments(evidence: Evidence, order: OrderSeen, began: float) -> Iterator[TimelineStep]:
    succeeded = 0
    for payment in sorted(evidence.payments_of(order.id), key=lambda each: each.get("created", "")):
        if "created" not in payment:
            continue
        at_s = moment(payment["created"]) - began
        text = f"pay {payment['amount']} {payment['currency']}"
        succeeded += payment["status"] == "succeeded"
        if payment["status"] == "succeeded" and succeeded > 1:
            yield TimelineStep(at_s, SHOP, PSP, f"{text}, charge {succeeded}", "broken")
        else:
            yield TimelineStep(at_s, SHOP, PSP, text)


def _webhooks(evidence: Evidence, order: OrderSeen, began: float) -> Iterator[TimelineStep]:
    for delivery in deliveries_of(evidence, order):
        for attempt in delivery["attempts"]:
            yield from _attempt(delivery, attempt, began)


def _attempt(
    delivery: Mapping[str, Any], attempt: Mapping[str, Any], began: float
) -> Iterator[TimelineStep]:
    at_s = moment(attempt["started"]) - began
    acted, status = list(attempt["faults"]), attempt["status"]
    kinds = f" ({', '.join(acted)})" if acted else ""
    again = f", attempt {attempt['number']}" if attempt["number"] > 1 else ""
    text = f"{delivery['type']}{again}{kinds}"
    mark: Mark = "fault" if acted else "normal"
    yield TimelineStep(at_s, PSP, SHOP, text, mark, arrives=status is not None)
    if status is not None:
        ended_s = at_s + float(attempt["duration_ms"]) / 1000
        is_wrong = _is_wrong(status, acted)
        answer = str(status)
        yield TimelineStep(
            ended_s, SHOP, PSP, answer, "broken" if is_wrong else "normal", is_answer=True
        )


def _is_wrong(status: int, faults: Sequence[str]) -> bool:
    """Tell whether an answer is one that no correct service gives."""
    if any(kind in HOSTILE for kind in faults):
        return not 400 <= status < 500
    return not 200 <= status < 300 and not faults


def _shipments(evidence: Evidence, order: OrderSeen, began: float) -> Iterator[TimelineStep]:
    seen: dict[str | None, None] = {}
    for shipment in evidence.shipments:
        if shipment.order != order.id:
            continue
        is_repeat = shipment.fulfilment is not None and shipment.fulfilment in seen
        is_second = bool(seen) and not is_repeat
        seen[shipment.fulfilment] = None
        text = "the same shipment once more" if is_repeat else "ship the goods"
        mark: Mark = "broken" if is_second else "normal"
        again = f", shipment {len(seen)}" if is_second else ""
        yield TimelineStep(shipment.at - began, SHOP, WAREHOUSE, f"{text}{again}", mark)


def _incidents(evidence: Evidence, order: OrderSeen, began: float) -> Iterator[TimelineStep]:
    for incident in evidence.incidents:
        if incident.at >= order.placed_at:
            yield TimelineStep(incident.at - began, incident.host, None, incident.text, "fault")


def _shortened(steps: Sequence[TimelineStep]) -> list[TimelineStep]:
    if len(steps) <= STEPS_MAX:
        return list(steps)
    head, tail = steps[: STEPS_MAX - 15], steps[-15:]
    gap = TimelineStep(
        head[-1].at_s, PSP, None, f"… {len(steps) - len(head) - len(tail)} more steps …"
    )
    return [*head, gap, *tail]
