"""After the healing: wait until shop and provider agree and nothing is on its way any more."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx

from psp_sim.domain.delivery import OPEN_STATES
from psp_sim.settings import Settings as ProviderSettings
from scenarios.agenda import Deadline, late_news, read_agenda
from scenarios.api import BadAnswer
from scenarios.endpoints import read_endpoints, what_is_wrong
from scenarios.evidence import OrderSeen, Pace, can_be_refunded, is_stray
from scenarios.expected import OUTCOMES, expected_statuses
from scenarios.moments import moment
from scenarios.observe import look_at_orders, read_deliveries
from scenarios.stage import Patience, Stage
from shop.domain.retry import delay_after
from shop.settings import Settings as ShopSettings

FIRST_STEP_S = 1.0
STEP_GROWTH = 3.0
STEP_MAX_S = 7200.0
QUIET_S = 60.0
SLACK_S = 120.0


def bound_s(provider: ProviderSettings, shop: ShopSettings) -> float:
    """Return how long after the healing a correct shop may take, from both sides' settings.

    That is the rest of the provider's retries, one more reconciliation, or one more look at its
    endpoint, whichever is later.
    """
    schedule = provider.retry_schedule
    ladder_s = sum(schedule.delays_s) * (1 + schedule.jitter)
    sending_s = schedule.attempts_max * provider.attempt_timeout_s
    asking_s = shop.reconcile_after_s + shop.reconcile_interval_cap_s
    longest_s = max(ladder_s + sending_s, asking_s, shop.endpoint_check_interval_s)
    return longest_s + shop.retry_delay_cap_s + SLACK_S


def pace_of(shop: ShopSettings) -> Pace:
    """Return how soon a correct shop acts upon an acknowledged webhook, from its own settings.

    It may try an event several times, ask the provider once, and ask the warehouse twice. After an
    absence of its own it finds what it was doing leased; after one of the warehouse its delay
    between two tries may have grown as long as it gets.
    """
    delays_s = [
        delay_after(failures, first_s=shop.retry_first_delay_s, cap_s=shop.retry_delay_cap_s)
        for failures in range(1, shop.inbox_attempts_max)
    ]
    asking_s = shop.psp_timeout_s + 2 * shop.warehouse_timeout_s + shop.retry_first_delay_s
    acts_s = sum(delays_s) + asking_s
    return Pace(acts_s, acts_s + 2 * shop.warehouse_timeout_s, acts_s + shop.retry_delay_cap_s)


async def wait_until_converged(
    stage: Stage,
    orders: Sequence[OrderSeen],
    unheard: list[OrderSeen],
    deadline: Deadline,
    *,
    has_late_news: bool = False,
) -> tuple[float, str | None]:
    """Return how long it took in the scenario's seconds, and what was still missing, or None.

    ``unheard`` grows by orders of which no customer knows. ``has_late_news`` tells that a payment
    may change after it has come to an outcome, which is then waited for as well.
    """
    began_at = stage.now()
    idleness = _Idleness(
        stage.now, math.inf if stage.patience is None else stage.patience.idle_limit_s
    )
    step_s = FIRST_STEP_S
    while True:
        missing, is_on_its_way = await look(stage, orders, unheard)
        if missing is None and has_late_news:
            missing, is_on_its_way = await _late_news(stage, deadline)
        if deadline.left_s <= 0:
            await deadline.look_ahead()
        waited_s = (stage.now() - began_at) * stage.time_scale
        if missing is None:
            # A late repeat would show in the final reads, which come next.
            await asyncio.sleep(stage.scaled(QUIET_S))
            return waited_s, None
        is_stuck = idleness.lasts(is_busy=is_on_its_way is not False)
        if deadline.left_s <= 0 or is_stuck:
            return waited_s, missing
        await asyncio.sleep(stage.scaled(min(step_s, deadline.left_s)))
        step_s = min(step_s * STEP_GROWTH, _step_max_s(stage))


async def _late_news(stage: Stage, deadline: Deadline) -> tuple[str | None, bool | None]:
    """Say what is in store though all is at rest, or None; and whether it is waited for."""
    try:
        plans = await read_agenda(stage)
    except (httpx.HTTPError, BadAnswer) as problem:
        return f"the provider does not answer: {problem}", None
    deadline.follow(plans)
    return late_news(plans), deadline.reaches(plans)


class _Idleness:
    """For how long nothing has moved, going by looks at it.

    A machine that stands still between two looks lets nobody move: such a gap counts for half of
    the limit at most, so that what moves afterwards is seen.
    """

    def __init__(self, now: Callable[[], float], limit_s: float) -> None:
        self._now = now
        self._limit_s = limit_s
        self._looked_at = now()
        self._idle_s = 0.0

    def lasts(self, *, is_busy: bool) -> bool:
        """Take note of a look; tell whether it has been idle for as long as is waited."""
        gap_s = self._now() - self._looked_at
        self._looked_at += gap_s
        self._idle_s = 0.0 if is_busy else self._idle_s + min(gap_s, self._limit_s / 2)
        return self._idle_s >= self._limit_s


class Rest:
    """Notices that a service has settled everything, or has stopped doing anything at all.

    With ``has_outages`` a provider that does not answer is down, else a fault hit our question.
    """

    def __init__(self, stage: Stage, patience: Patience, *, has_outages: bool) -> None:
        self._stage = stage
        self._patience = patience
        self._has_outages = has_outages
        self._statuses: list[str | None] = []
        self._unheard: list[OrderSeen] = []
        self._idleness = _Idleness(stage.now, patience.idle_limit_s)

    async def has_come(self, orders: Sequence[OrderSeen]) -> bool:
        """Look once more, and tell."""
        missing, is_on_its_way = await look(self._stage, orders, self._unheard)
        statuses = [order.status for order in orders]
        is_down = is_on_its_way is None and self._has_outages
        is_disturbed = is_down or self._patience.is_disturbed()
        has_moved = bool(is_on_its_way) or is_disturbed or statuses != self._statuses
        self._statuses = statuses
        is_idle = self._idleness.lasts(is_busy=has_moved)
        return missing is None or (is_on_its_way is False and is_idle)


def _step_max_s(stage: Stage) -> float:
    """Look now and then over hours of the world's time, and each second on a real clock."""
    return STEP_MAX_S if stage.patience is None else stage.time_scale


async def look(
    stage: Stage, orders: Sequence[OrderSeen], unheard: list[OrderSeen]
) -> tuple[str | None, bool | None]:
    """Say what has not come to its end yet, or None; and whether news is on its way to the shop.

    Of a provider that does not answer nobody knows: None.
    """
    await look_at_orders(stage, [*orders, *unheard])
    try:
        payments = await stage.provider.get_all("/v1/payments")
        endpoints = await read_endpoints(stage)
        deliveries = await read_deliveries(stage, endpoints)
    except (httpx.HTTPError, BadAnswer) as problem:
        return f"the provider does not answer: {problem}", None
    is_on_its_way = any(payment["status"] not in OUTCOMES for payment in payments) or any(
        delivery["state"] in OPEN_STATES for delivery in deliveries
    )
    unheard += await unheard_of(stage, [*orders, *unheard], payments)
    missing = what_is_missing([*orders, *unheard], payments, deliveries, shipped_on(stage))
    if missing is None and stage.mends_endpoint:
        missing = what_is_wrong(endpoints)
    return missing, is_on_its_way


def shipped_on(stage: Stage) -> Collection[str] | None:
    """Return the orders whose goods have left; None where a service may do without a warehouse."""
    if stage.patience is not None:
        return None
    return {shipment.order for shipment in stage.warehouse.shipments}


async def unheard_of(
    stage: Stage, known: Sequence[OrderSeen], payments: Sequence[Mapping[str, Any]]
) -> list[OrderSeen]:
    """Return the shop's orders that were paid although their customers never got an answer.

    They are in its books like any other, and so have to come to their end like any other.
    """
    ids = {order.id for order in known}
    found = []
    for payment in payments:
        if payment["reference"] in ids or is_stray(payment):
            continue
        ids.add(payment["reference"])
        order = OrderSeen(payment["reference"], 0, moment(payment["created"]), None, None)
        try:
            order.saw(stage.now(), await stage.shop.status_of(order.id))
        except BadAnswer:
            continue
        except httpx.HTTPError:
            pass
        found.append(order)
    return found


def what_is_missing(
    orders: Sequence[OrderSeen],
    payments: Sequence[Mapping[str, Any]],
    deliveries: Sequence[Mapping[str, Any]],
    shipped: Collection[str] | None = None,
) -> str | None:
    """Say what has not come to its end in what was read, or return None.

    ``shipped`` are the orders whose goods have left, if all goods leave where we can see it.
    """
    by_order: dict[str, list[Mapping[str, Any]]] = {}
    for payment in payments:
        if payment["status"] not in OUTCOMES and not _stays_open(payment, orders):
            return f"payment {payment['id']} is {payment['status']}"
        if not is_stray(payment):
            by_order.setdefault(payment["reference"], []).append(payment)
    for order in orders:
        theirs = by_order.get(order.id, [])
        missing = _missing_of(order, theirs)
        if missing is not None:
            return missing
        is_paid = any(payment["status"] == "succeeded" for payment in theirs)
        if is_paid and shipped is not None and order.id not in shipped:
            return f"order {order.id} is {order.status}, and its goods have not left"
    on_their_way = sum(delivery["state"] in OPEN_STATES for delivery in deliveries)
    return f"{on_their_way} webhooks are on their way" if on_their_way else None


def _stays_open(payment: Mapping[str, Any], orders: Sequence[OrderSeen]) -> bool:
    """Tell whether nothing will come of a payment any more.

    Of those that no customer knows of, nobody approves one, and none settles where nothing does.
    """
    customers = [order for order in orders if order.number]
    own = [order.never_settles for order in customers if order.id == payment["reference"]]
    if own and not is_stray(payment):
        return own[0]
    nothing_settles = bool(customers) and all(order.never_settles for order in customers)
    return nothing_settles or payment["status"] == "requires_action"


def _missing_of(order: OrderSeen, theirs: Sequence[Mapping[str, Any]]) -> str | None:
    if not theirs:
        return f"order {order.id} is {order.status}, and the provider has no payment for it"
    refunds = [refund for payment in theirs for refund in payment.get("refunds", ())]
    if len(refunds) < len(order.refunds_wished) and any(map(can_be_refunded, theirs)):
        return f"a refund of order {order.id} has not reached the provider"
    if pending := [refund["id"] for refund in refunds if refund["status"] == "pending"]:
        return f"refund {pending[0]} is pending"
    if order.status not in expected_statuses(theirs):
        states = ", ".join(dict.fromkeys(payment["status"] for payment in theirs))
        return f"order {order.id} is {order.status}, and its payment {states}"
    return None
