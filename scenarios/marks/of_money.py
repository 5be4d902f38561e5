"""Marks of outcomes: payments that fail, and money that goes back when the goods are gone."""

from __future__ import annotations

from math import inf

from scenarios.marks.mark import Mark
from scenarios.marks.seen import Seen, moment


def _failed(seen: Seen) -> int:
    return sum(payment["status"] == "failed" for payment in seen.evidence.payments)


def _disputed_after_fulfilment(seen: Seen) -> int:
    shipped = {shipment.order: shipment.at for shipment in reversed(seen.evidence.shipments)}
    return sum(
        shipped.get(payment["reference"], inf) < moment(dispute["created"])
        for payment in seen.evidence.payments
        for dispute in payment.get("disputes", ())
    )


MARKS = (
    Mark("payment_failed", "a payment failed", _failed),
    Mark(
        "dispute_after_fulfilment",
        "a payment was disputed when its goods had left",
        _disputed_after_fulfilment,
    ),
)
