"""Random plans, each with a random subset of fault kinds: what a whole mix hides, a few kinds show.

Groce et al., "Swarm Testing", ISSTA 2012. Values have mass at zero and at the services' own timers,
where the interesting overlaps are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scenarios.search.addresses import COUNTED, crash_at, power_loss_at
from scenarios.search.plan import Plan
from scenarios.search.space import (
    ABSENCE_S,
    FORGETFUL_AT,
    ON_CALLS,
    ON_EVERY_PAYMENT,
    ON_PAYMENTS,
    ON_WEBHOOKS,
    WRONG_BY,
    can_make_good,
)
from scenarios.world.randomness import keyed_random

FAULTS_MAX = 6
ORDERS_MAX = 3
PASSAGES_MAX = 14
FORGOTTEN_MAX = 4

_TRACKING = (
    "webhooks+reconciliation", "webhooks+reconciliation", "webhooks+reconciliation", "webhooks",
    "polling", "polling+backoff", "long-polling", "event-stream",
)  # fmt: skip
_EVENTS = ("payment.succeeded", "payment.succeeded", "payment.processing", "payment.failed")
_OPERATIONS = {
    "webhooks+reconciliation": ("create_payment", "list_events", "list_payments", "read_payment"),
    "webhooks": ("create_payment",),
    "event-stream": ("create_payment", "stream_events"),
}
_ASKING = ("create_payment", "read_payment", "list_events")
_GAPS_S = (0, 0.001, 1.0, 4.0, 20.0)
_MOMENTS_S = (0, 0.001, 0.004, 0.01, 1.0, 2.0, 2.01, 2.02, 5.0, 10.0, 30.0)
_LENGTHS_S = (0.5, 1.0, 3.0, 5.0, 15.0, 20.0, 45.0, 70.0)
_SLOWER_S = (0.5, 2.0, 8.0)
_HOSTS = ("shop", "shop", "psp", "warehouse")
# One in so many plans lasts for hours, and then so may what happens in it.
_LONG_ONE_IN = 20
_LONG_CHAOS = "4h"
_QUICK_RETRIES = "10s,10s,10s,10s,10s,1m"
_STEPS: tuple[dict[str, Any], ...] = (
    {"do": "refund", "order": 1, "share": 0.3},
    {"do": "refund", "order": 1},
    {"do": "pay_too_little", "order": 1},
    {"do": "pay_in_another_currency", "order": 1},
    {"do": "pay_again_in_vain", "order": 1},
    {"do": "pay_for_something_else", "order": 1},
)
_STEP_TIMES = ("10s", "20s", "40s")

Fault = dict[str, Any]


def swarm_plan(seed: int, number: int) -> Plan:
    """Return the plan that belongs to this seed and number."""
    chance = keyed_random(seed, "swarm", number)
    tracking = chance.choice(_TRACKING)
    orders = chance.choice((1, 1, 2, ORDERS_MAX))
    setting = _setting(chance, tracking, orders)
    makers = _makers(tracking, orders)
    if orders == 1 and can_make_good(setting):
        makers["power cut that forgets"] = _forgetful
    kinds = chance.sample(sorted(makers), chance.randint(1, min(4, len(makers))))
    faults = [makers[chance.choice(kinds)](chance) for _ in range(chance.randint(1, FAULTS_MAX))]
    if chance.randrange(_LONG_ONE_IN) == 0:
        faults += _long(chance, setting, makers["dispute"])
    if any(fault["kind"] == "require_action" for fault in faults):
        _let_payers_approve(chance, setting, orders)
    return Plan(chance.getrandbits(16), setting, tuple(faults))


def _setting(chance: random.Random, tracking: str, orders: int) -> dict[str, Any]:
    setting: dict[str, Any] = {"orders": orders}
    if orders > 1:
        setting["order_gap"] = chance.choice(_GAPS_S)
    if tracking != _TRACKING[0]:
        setting["shop"] = {"tracking": tracking}
    provider: dict[str, Any] = {}
    # What is never sent again can only be found by asking.
    if tracking == _TRACKING[0] and chance.random() < 0.3:
        provider["retry_schedule"] = "none"
    elif chance.random() < 0.2:
        provider["retry_schedule"] = _QUICK_RETRIES
    if chance.random() < 0.2:
        provider["settle_after"] = chance.choice(("0s", "10ms", "20s", "70s"))
    if provider:
        setting["provider"] = provider
    steps = []
    if tracking.startswith("webhooks") and chance.random() < 0.25:
        steps.append({"do": "rotate_secret", "at": chance.choice((0, 1.0, 3.0, 20.0))})
    if chance.random() < 0.2:
        steps.append({**chance.choice(_STEPS), "at": chance.choice(_STEP_TIMES)})
    if steps:
        setting["steps"] = steps
    return setting


def _makers(tracking: str, orders: int) -> dict[str, Callable[[random.Random], Fault]]:
    """Return for each kind that can happen here what makes one of it."""
    makers: dict[str, Callable[[random.Random], Fault]] = {}

    def order_of(chance: random.Random) -> dict[str, Any]:
        return {"order": chance.randint(1, orders)} if chance.random() < 0.7 else {}

    def add(kind: str, values: Sequence[Mapping[str, Any]], aim: Callable[..., Fault]) -> None:
        makers[kind] = lambda chance: {"kind": kind, **aim(chance), **chance.choice(values)}

    def at_webhook(chance: random.Random) -> Fault:
        event = {"event": chance.choice(_EVENTS)} if chance.random() < 0.8 else {}
        return {**event, **order_of(chance), "attempt": chance.choice((1, 1, 2, "1..2", "1..3"))}

    def at_call(chance: random.Random) -> Fault:
        operation = chance.choice(_OPERATIONS.get(tracking, _ASKING))
        if operation == "create_payment":
            return {
                "operation": operation,
                **order_of(chance),
                "attempt": chance.choice((1, "1..2")),
            }
        return {"operation": operation, "times": chance.choice((1, 2))}

    if tracking.startswith("webhooks"):
        for kind, values in ON_WEBHOOKS.items():
            add(kind, values, _without_event(at_webhook) if kind == "forge" else at_webhook)
        makers["reorder"] = _reorder
    for kind, values in ON_CALLS.items():
        add(kind, values, at_call)
    for kind, values in ON_PAYMENTS.items():
        add(kind, values, order_of)
    for kind, values in ON_EVERY_PAYMENT.items():
        add(kind, values, lambda _: {})
    makers["crash"] = _crash
    makers["power loss"] = _power_loss
    makers["restart"] = lambda chance: _host("restart", chance)
    makers["latency"] = _latency
    makers["skew"] = _skew
    makers["crash at a moment"] = lambda chance: _host("crash", chance)
    makers["pause"] = lambda chance: _host("pause", chance)
    makers["turn away"] = lambda chance: {"kind": "turn_away", **_span(chance)}
    makers["partition"] = _partition
    makers["outage"] = lambda chance: {"kind": "outage", **_span(chance)}
    makers["every call fails"] = _failing_calls
    return makers


def _without_event(aim: Callable[[random.Random], Fault]) -> Callable[[random.Random], Fault]:
    # The event of a forgery is what it forges.
    return lambda chance: {key: value for key, value in aim(chance).items() if key != "event"}


def _reorder(chance: random.Random) -> Fault:
    return {"kind": "reorder", "event": "payment.processing", "after": "payment.succeeded"} | (
        {"order": 1} if chance.random() < 0.5 else {}
    )


def _crash(chance: random.Random) -> Fault:
    site = chance.choice(COUNTED)
    nth, when = chance.randint(1, PASSAGES_MAX), chance.choice(("before", "after"))
    return crash_at(site, nth, when, chance.choice(_LENGTHS_S))


def _power_loss(chance: random.Random) -> Fault:
    site = chance.choice(COUNTED)
    nth, when = chance.randint(1, PASSAGES_MAX), chance.choice(("before", "after"))
    return power_loss_at(site, nth, when, chance.choice(_LENGTHS_S))


def _forgetful(chance: random.Random) -> Fault:
    site = next(each for each in COUNTED if (each["host"], each["site"]) == FORGETFUL_AT)
    nth = chance.randint(1, FORGOTTEN_MAX)
    return power_loss_at(site, nth, "after", chance.choice(_LENGTHS_S)) | {"commits_lost": 1}


def _latency(chance: random.Random) -> Fault:
    pair = chance.choice((["psp", "shop"], ["psp", "shop"], ["shop", "warehouse"]))
    return {"kind": "latency", "between": pair, "by": chance.choice(_SLOWER_S), **_span(chance)}


def _skew(chance: random.Random) -> Fault:
    by = chance.choice((*WRONG_BY, "30s", "-30s"))
    return {"kind": "skew", "host": "shop", "by": by, **_span(chance)}


def _let_payers_approve(chance: random.Random, setting: dict[str, Any], orders: int) -> None:
    """Let each customer approve the payment, or forget to: it then stays open for good."""
    steps = setting.setdefault("steps", [])
    for number in range(1, orders + 1):
        if chance.random() < 0.8:
            at = chance.choice(_STEP_TIMES)
            steps.append({"do": "approve_payment", "order": number, "at": at})


def _host(kind: str, chance: random.Random) -> Fault:
    hosts = _HOSTS[:-1] if kind == "crash" else _HOSTS
    return {"kind": kind, "host": chance.choice(hosts), **_span(chance)}


def _partition(chance: random.Random) -> Fault:
    pair = chance.choice((["psp", "shop"], ["psp", "shop"], ["shop", "warehouse"]))
    return {"kind": "partition", "between": pair, **_span(chance)}


def _failing_calls(chance: random.Random) -> Fault:
    return {"kind": "error", "status": 503, "start": chance.choice(_MOMENTS_S)}


def _long(
    chance: random.Random, setting: dict[str, Any], late_news: Callable[[random.Random], Fault]
) -> list[Fault]:
    """Let a plan last for hours with the shop away; half of the time something happens meanwhile.

    What is sent again for days would find the shop back, so half of the time nothing is.
    """
    setting["chaos"] = _LONG_CHAOS
    if setting.get("shop", {}).get("tracking") == "webhooks":
        # Such a shop never asks, and quick retries would all be over before it is back.
        setting.get("provider", {}).pop("retry_schedule", None)
    # Only a shop that asks can learn of what is sent once.
    if chance.random() < 0.5 and "shop" not in setting:
        setting["provider"] = {**setting.get("provider", {}), "retry_schedule": "none"}
    start_s = chance.choice(_MOMENTS_S)
    away: Fault = {"kind": "crash", "host": "shop", "start": start_s, "for": ABSENCE_S}
    return [late_news(chance), away] if chance.random() < 0.5 else [away]


def _span(chance: random.Random) -> dict[str, Any]:
    return {"start": chance.choice(_MOMENTS_S), "for": chance.choice(_LENGTHS_S)}
