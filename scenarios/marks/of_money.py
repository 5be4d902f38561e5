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


def _taken_back_after_fulfilment(seen: Seen) -> int:
    shipped = {shipment.order for shipment in seen.evidence.shipments}
    return sum(payment["reference"] in shipped for payment in seen.evidence.taken_back())


def _refund_undone(seen: Seen) -> int:
    return sum(
        refund["status"] == "failed"
        for payment in seen.evidence.payments
        for refund in payment.get("refunds", ())
    )


def _never_settled(seen: Seen) -> int:
    return sum(payment["status"] == "processing" for payment in seen.evidence.payments)


def _unasked_for(seen: Seen) -> int:
    prices = {(o.id, o.amount_minor, o.currency) for o in seen.evidence.orders}
    return sum(
        (payment["reference"], payment["amount"], payment["currency"]) not in prices
        for payment in seen.evidence.payments
        if payment["status"] == "succeeded"
    )


MARKS = (
    Mark("payment_failed", "a payment failed", _failed),
    Mark(
        "dispute_after_fulfilment",
        "a payment was disputed when its goods had left",
        _disputed_after_fulfilment,
    ),
    Mark(
        "money_taken_back_after_fulfilment",
        "the bank took the money back of a payment whose goods had left",
        _taken_back_after_fulfilment,
    ),
    Mark("refund_undone", "a refund that had been asked for came to nothing", _refund_undone),
    Mark("payment_never_settled", "a payment had no outcome to the very end", _never_settled),
    Mark(
        "money_that_no_order_asked_for",
        "the provider captured a payment that is no order's exact price",
        _unasked_for,
    ),
)
