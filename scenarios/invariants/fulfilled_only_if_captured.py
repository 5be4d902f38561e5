"""Nothing leaves and nothing counts as paid unless the provider holds the exact money."""

from __future__ import annotations

from psp_sim.domain.duration import format_duration
from scenarios.evidence import PAID, Disturbance, Evidence, OrderSeen, is_taken_back
from scenarios.invariants.acting import acknowledgements
from scenarios.invariants.finding import Finding, Invariant, Violation

# The provider tells the time in milliseconds.
_ROUNDED_S = 0.001


def check(evidence: Evidence) -> Finding:
    """Look for the captured payment behind each order that is paid or has left.

    A payment that the bank took back later was there when the goods left, unless the shop knew.
    """
    believed = [
        order
        for order in evidence.orders
        if order.status in PAID or evidence.fulfilments_of(order.id)
    ]
    refused = [order for order in evidence.orders if order not in believed]
    violations = [
        Violation(
            f"order {order.id} counts as paid, but the provider holds no payment of "
            f"{_price(order)}",
            _believed_at(evidence, order),
        )
        for order in believed
        if not _is_covered(evidence, order)
    ]
    early = [one for order in believed if (one := _early(evidence, order)) is not None]
    knowing = [one for order in believed if (one := _knowing_better(evidence, order)) is not None]
    return Finding(len(believed) + len(refused), [*violations, *early, *knowing])


def _early(evidence: Evidence, order: OrderSeen) -> Violation | None:
    """Look whether the goods left before the money had come, where the clocks can be compared."""
    if any(one.kind == "skew" and "psp" in one.hosts for one in evidence.disturbances):
        return None
    captures = [
        evidence.captured_at[payment["id"]]
        for payment in evidence.payments_of(order.id)
        if payment["id"] in evidence.captured_at
    ]
    left_at = min((s.at for s in evidence.shipments if s.order == order.id), default=None)
    if left_at is None or not captures or left_at >= min(captures) - _ROUNDED_S:
        return None
    waited = format_duration(min(captures) - left_at)
    return Violation(
        f"the goods of order {order.id} left {waited} before the provider had the money", left_at
    )


def _knowing_better(evidence: Evidence, order: OrderSeen) -> Violation | None:
    """Look whether the goods left though the shop had acknowledged that the money is gone again.

    It has as long to act upon that as upon any news, and is excused by whatever kept it from it.
    """
    payments, pace = evidence.payments_of(order.id), evidence.pace
    left_at = min((s.at for s in evidence.shipments if s.order == order.id), default=None)
    if left_at is None or pace is None or len(payments) != 1 or not is_taken_back(payments[0]):
        return None
    told = min(acknowledgements(evidence, payments[0], "payment.failed"), default=None)
    if told is None or left_at <= told[0] + pace.acts_within_s:
        return None
    if any(_excuses(one) and one.overlaps(told[1], left_at) for one in evidence.disturbances):
        return None
    late = format_duration(left_at - told[0])
    return Violation(
        f"the goods of order {order.id} left {late} after the shop had said that it knew that the "
        "bank has the money again",
        left_at,
    )


def _excuses(disturbance: Disturbance) -> bool:
    """Tell whether it may keep a shop from its work, or a call on its way to the warehouse.

    A line that is cut swallows what is on its way, and so lets nothing arrive later.
    """
    is_cut = disturbance.kind == "partition"
    return bool({"shop", "warehouse"} & disturbance.hosts) and not is_cut


def _believed_at(evidence: Evidence, order: OrderSeen) -> float:
    """When the shop was first seen to count the order as paid."""
    seen = [at for at, status in order.history if status in PAID]
    left = [shipment.at for shipment in evidence.shipments if shipment.order == order.id]
    return min([*seen, *left])


def _is_covered(evidence: Evidence, order: OrderSeen) -> bool:
    wanted = (order.amount_minor, order.currency)
    return any(
        order.amount_minor is None or (payment["amount"], payment["currency"]) == wanted
        for payment in (*evidence.captured(), *evidence.taken_back())
        if payment["reference"] == order.id
    )


def _price(order: OrderSeen) -> str:
    return f"{order.amount_minor} {order.currency} (minor units) for it"


INVARIANT = Invariant(
    "fulfilled_only_if_captured",
    "Nothing leaves and nothing counts as paid unless the provider holds the exact money.",
    check,
)
