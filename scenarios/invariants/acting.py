"""When the shop was told of a success and said so, and when it acted: what two promises share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.evidence import Disturbance, Evidence, OrderSeen
from scenarios.invariants.finding import Violation
from scenarios.invariants.forgeries_are_refused import FORGERIES
from scenarios.moments import began_at, ended_at

SHOP, WAREHOUSE = "shop", "warehouse"
_NO_NEWS = (*FORGERIES, "unknown_event_type")
_DEADLY = ("crash", "power_loss", "restart")


@dataclass(frozen=True, slots=True)
class Acted:
    """One order: when a success was acknowledged, when it had to be acted upon, when it was.

    ``acted_at`` is infinite for never, and the earliest moment possible where nobody saw it
    happen (``by_status``). ``died_at`` is when the shop died in between, if it did. Unix seconds
    of the world.
    """

    order: OrderSeen
    acknowledged_at: float
    due_at: float
    acted_at: float
    died_at: float | None
    by_status: bool = False

    @property
    def is_late(self) -> bool:
        """Whether the shop acted too late, or never."""
        return self.acted_at > self.due_at

    def violation(self, sentence: str) -> Violation:
        """Say how late it was; ``sentence`` says of what."""
        within_s, late_s = self.due_at - self.acknowledged_at, self.acted_at - self.acknowledged_at
        if self.by_status:
            what = f"{late_s:.1f} s later it was not paid yet"
            allowances = "[timing] acts_within allows"
            if self.died_at is not None:
                allowances = "its restart and [timing] acts_within allow"
            allowed = f"{within_s:.1f} s are what {allowances}"
        else:
            what = f"the goods left {late_s:.0f} s later"
            allowed = f"{within_s:.0f} s are what the shop's settings allow"
        acted = "the goods never left" if math.isinf(late_s) else what
        said = f"{sentence} of order {self.order.id}: {acted}, and {allowed}"
        return Violation(said, self.due_at)


def acted_on(evidence: Evidence) -> list[Acted]:
    """Return each order of which the shop has acknowledged that it is paid for.

    Left out are orders with more than one payment, with money that was taken back, and those whose
    acknowledged webhook may have gone with the power.
    """
    taken_back = {payment["reference"] for payment in evidence.taken_back()}
    found = []
    for order in evidence.orders:
        payments = evidence.payments_of(order.id)
        if len(payments) != 1 or order.id in taken_back or evidence.pace is None:
            continue
        call = min(acknowledgements(evidence, payments[0], "payment.succeeded"), default=None)
        acted = None if call is None else _acted(evidence, order, *call)
        if acted is not None:
            found.append(acted)
    return found


def acknowledgements(
    evidence: Evidence, payment: Mapping[str, Any], event_type: str
) -> Iterator[tuple[float, float]]:
    """Yield when each call ended that told of such an event and was taken, and when it began."""
    for delivery, attempt in evidence.attempts():
        is_news = delivery["type"] == event_type and delivery["payment"] == payment["id"]
        is_taken = attempt["status"] is not None and 200 <= attempt["status"] < 300
        if is_news and is_taken and not any(kind in _NO_NEWS for kind in attempt["faults"]):
            yield ended_at(attempt), began_at(attempt)


def _acted(evidence: Evidence, order: OrderSeen, at: float, told_at: float) -> Acted | None:
    """Extend the time that the shop has by what kept it, or the warehouse, from its work.

    A wrong clock counts from when the call began: the shop writes down what it is told before it
    answers, and the clock may be right again by then.
    """
    assert evidence.pace is not None, "asked for with a pace"
    by_status = evidence.pace.status_is_enough
    acted_at = _acted_at(evidence, order, by_status=by_status)
    due_at, died_at = at + evidence.pace.acts_within_s, None
    for one in sorted(evidence.disturbances, key=lambda each: each.began_at):
        concerns = one.stands_between(SHOP, WAREHOUSE)
        is_over = acted_at < one.began_at
        since = told_at if one.clock_off_s else at
        if is_over or not concerns or not one.overlaps(since, due_at):
            continue
        if one.forgets:
            return None
        due_at = max(due_at, one.ended_at + _after(evidence, one))
        if one.kind in _DEADLY and SHOP in one.hosts:
            died_at = one.began_at
    return Acted(order, at, due_at, acted_at, died_at, by_status)


def _acted_at(evidence: Evidence, order: OrderSeen, *, by_status: bool) -> float:
    """Return when the goods left; or until when it was certain that the order was not paid."""
    shipped_at = min((s.at for s in evidence.shipments if s.order == order.id), default=math.inf)
    if not by_status:
        return shipped_at
    return -math.inf if order.unpaid_at is None else min(shipped_at, order.unpaid_at)


def _after(evidence: Evidence, disturbance: Disturbance) -> float:
    """Return how long it may take after a disturbance.

    What a clock that was ahead wrote down as the next try lies so far ahead.
    """
    assert evidence.pace is not None, "asked for with a pace"
    if SHOP in disturbance.hosts and not disturbance.is_on_the_line:
        return evidence.pace.after_own_absence_s + max(disturbance.clock_off_s, 0.0)
    return evidence.pace.after_warehouse_absence_s
