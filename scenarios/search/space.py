"""What the search chooses from: grounds to play on, and for each kind of fault a list of values.

Everything here is finite and written down, so "every single fault" has a meaning: every kind, at
every address of the clean run, with every value of this list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.search.addresses import Addresses, crash_at, power_loss_at
from scenarios.search.plan import Plan

Fault = dict[str, Any]

# What faults are aimed at: a ground is searched with all of these, or with those that matter to it.
WEBHOOKS, CALLS, PAYMENTS, CRASHES, MOMENTS = "webhooks", "calls", "payments", "crashes", "moments"
ALL_AIMS = (WEBHOOKS, CALLS, PAYMENTS, CRASHES, MOMENTS)

# A shop that listens and asks too, which is the default.
ASKING_TOO = "webhooks+reconciliation"
# Where the last commit is that of a webhook, and so can be made good after it was lost.
FORGETFUL_AT = ("shop", "response")


@dataclass(frozen=True)
class Ground:
    """A way in which shop, provider and people can be set up, in the words of a scenario.

    ``aims`` are the sorts of faults that are played on it, one by one and in pairs; ``faults`` are
    there before them, since what the ground is about needs them.
    """

    words: Mapping[str, Any]
    aims: Sequence[str] = ALL_AIMS
    faults: Sequence[Fault] = ()

    def plan(self, seed: int) -> Plan:
        """Return the run to which faults are added. One customer buys if the words do not say."""
        return Plan(seed, {"orders": 1, **self.words}, self.faults)


def _refund(share: float, at: str) -> dict[str, Any]:
    return {"do": "refund", "order": 1, "share": share, "at": at}


def _paying(step: str, at: str) -> dict[str, Any]:
    return {"do": step, "order": 1, "at": at}


GROUNDS: dict[str, Ground] = {
    "webhooks and reconciliation": Ground({}),
    "webhooks alone": Ground({"shop": {"tracking": "webhooks"}}),
    "webhooks that are not retried": Ground({"provider": {"retry_schedule": "none"}}),
    "a secret that is rotated": Ground(
        {"steps": [{"do": "rotate_secret", "at": "3s"}], "orders": 2, "order_gap": "4s"}
    ),
    "a secret that is rotated again": Ground(
        {"steps": [{"do": "rotate_secret", "at": at} for at in ("3s", "7s")]}, (WEBHOOKS, CALLS)
    ),
    "a secret whose overlap ends": Ground(
        {
            "orders": 3,
            "order_gap": "20s",
            "chaos": "2m",
            "provider": {"rotation_overlap": "30s"},
            "steps": [{"do": "rotate_secret", "at": "10s"}],
        },
        (CALLS,),
    ),
    "an endpoint that is removed": Ground(
        {
            "orders": 3,
            "order_gap": "30s",
            "chaos": "5m",
            "shop": {"endpoint_check_interval": "1m"},
            "steps": [{"do": "remove_endpoint", "at": "40s"}],
        },
        (CALLS,),
    ),
    "an endpoint that is given up soon": Ground(
        {
            "orders": 3,
            "order_gap": "30s",
            "chaos": "5m",
            "provider": {"retry_schedule": "none", "disable_after_failures": 1},
            "shop": {"endpoint_check_interval": "2m"},
        },
        (WEBHOOKS, CALLS),
    ),
    "keys that are forgotten soon": Ground(
        {"provider": {"forget_keys_after": "5s"}, "shop": {"ask_first_after": "2s"}}, (CALLS,)
    ),
    "polling": Ground({"shop": {"tracking": "polling"}}),
    "polling with backoff": Ground({"shop": {"tracking": "polling+backoff"}}),
    "long polling": Ground({"shop": {"tracking": "long-polling"}}),
    "an event stream": Ground({"shop": {"tracking": "event-stream"}}),
    "refunds": Ground(
        {"steps": [_refund(0.3, "15s"), _refund(0.3, "30s")], "chaos": "2m"}, (CALLS, PAYMENTS)
    ),
    "refunds that webhooks tell of": Ground(
        {
            "steps": [_refund(0.3, "15s"), _refund(0.3, "30s")],
            "chaos": "2m",
            "shop": {"tracking": "webhooks"},
        },
        (CALLS,),
    ),
    "a refund of everything": Ground({"steps": [_refund(1.0, "15s")], "chaos": "2m"}, (PAYMENTS,)),
    "a payer who pays too little": Ground(
        {"steps": [_paying("pay_too_little", "20s")]}, (PAYMENTS,)
    ),
    "a payer in another currency": Ground(
        {"steps": [_paying("pay_in_another_currency", "20s")]}, (PAYMENTS,)
    ),
    "a payer who pays again in vain": Ground(
        {"steps": [_paying("pay_again_in_vain", "20s")]}, (PAYMENTS,)
    ),
    "a payer who pays for something else": Ground(
        {"steps": [_paying("pay_for_something_else", "20s")]}, (PAYMENTS,)
    ),
    "a payer who approves late": Ground(
        {"steps": [_paying("approve_payment", "20s")]},
        (CALLS, PAYMENTS, MOMENTS),
        [{"kind": "require_action"}],
    ),
    "many currencies": Ground({"orders": 8}, ()),
    "a busy day": Ground({"orders": 24, "order_gap": "500ms"}, ()),
    "news within one second": Ground(
        {
            "orders": 4,
            "order_gap": "1300ms",
            "provider": {"settle_after": "200ms"},
            "shop": {"tracking": "webhooks"},
        },
        (),
    ),
    "quick retries": Ground(
        {"provider": {"retry_schedule": "10s,10s,10s,10s,10s,1m"}, "chaos": "3m"}, (MOMENTS,)
    ),
    "a slow bank and patience": Ground(
        {
            "provider": {"settle_after": "70s"},
            "shop": {"psp_timeout": "2m", "reconcile_interval": "10m"},
            "chaos": "5m",
        },
        (CALLS, PAYMENTS),
    ),
    "hours without retries": Ground(
        {"provider": {"retry_schedule": "none"}, "chaos": "4h"}, (MOMENTS,)
    ),
}

# Fields of each fault on a webhook; every one is tried at every webhook.
ON_WEBHOOKS: dict[str, Sequence[Mapping[str, Any]]] = {
    "drop": ({"attempt": 1}, {}),
    "delay": ({"by": "30s"}, {"by": "12s", "where": "network"}, {"by": "2m", "where": "network"}),
    "duplicate": (
        {"copies": 2, "spacing": 0},
        {"copies": 2, "spacing": "20s"},
        {"copies": 2, "spacing": "10m"},
        {"copies": 2, "ids": "new", "spacing": "2s"},
        {"copies": 2, "ids": "new", "spacing": 0},
    ),
    "corrupt_signature": ({"attempt": 1},),
    "wrong_secret": ({"attempt": 1},),
    "missing_signature": ({"attempt": 1},),
    "malformed_signature": ({"attempt": 1},),
    "stale_timestamp": ({"attempt": 1, "by": "10m"},),
    "future_timestamp": ({"attempt": 1, "by": "10m"},),
    "tamper_body": tuple(
        {"attempt": 1, "field": each} for each in ("amount", "currency", "reference", "account")
    ),
    "forge": ({"attempt": 1},),
    "slow_body": ({"attempt": 1, "by": "8s"},),
    "truncate_body": ({"attempt": 1},),
    "oversize_body": ({"attempt": 1}, {"attempt": 1, "bytes": 300_000}),
    "unknown_event_type": ({"attempt": 1},),
    "unknown_fields": ({"attempt": 1},),
}

ON_CALLS: dict[str, Sequence[Mapping[str, Any]]] = {
    "lose_request": ({},),
    "lose_response": ({},),
    "error": (
        {"status": 500, "when": "before"},
        {"status": 500, "when": "after"},
        {"status": 503, "when": "before"},
    ),
    "slow_response": ({"by": "3s"}, {"by": "10s"}, {"by": "90s"}),
    "rate_limit": ({"retry_after": "10s"},),
}

ON_PAYMENTS: dict[str, Sequence[Mapping[str, Any]]] = {
    "decline": ({}, {"code": "insufficient_funds"}, {"times": 1}),
    "settle_after": ({"by": "30s"}, {"by": "20m"}),
    "dispute": (
        {"by": "10s", "decided_after": "10s", "outcome": "lost"},
        {"by": "10s", "decided_after": "10s", "outcome": "won"},
    ),
    "fail_late": ({"by": "20s"},),
    "refund_fails": ({"by": "20s"},),
}

# Aimed at every payment: who counts orders from outside cannot tell which one of them was hit.
ON_EVERY_PAYMENT: dict[str, Sequence[Mapping[str, Any]]] = {
    "never_settle": ({},),
    "require_action": ({},),
}

DOWN_S = (0.5, 20.0)
PAUSES_S = (3.0, 40.0)
PARTITIONS_S = (3.0, 40.0)
OUTAGES = ("3s", "40s")
RESTART_S = 3.0
SLOWER_BY_S = (2.0, 8.0)
# Less than what a receiver allows for between two clocks.
WRONG_BY = ("4m", "-4m")
# Longer than what a job looks back, or a cache remembers. Only where the chaos lasts that long.
ABSENCE_S = 3 * 3600.0


def singles(at: Addresses, ground: Ground) -> Iterator[Fault]:
    """Yield every single fault of the lists above, at every address that a ground aims at."""
    makers = {
        WEBHOOKS: _on_webhooks,
        CALLS: _on_calls,
        PAYMENTS: _on_payments,
        CRASHES: _crashes,
        MOMENTS: _in_time,
    }
    for aim in ground.aims:
        yield from makers[aim](at)
    if CRASHES in ground.aims and can_make_good(ground.words):
        yield from _forgetful(at)


def _on_webhooks(at: Addresses) -> Iterator[Fault]:
    for event, order in at.webhooks:
        for kind, values in ON_WEBHOOKS.items():
            yield from ({"kind": kind, "event": event, "order": order, **each} for each in values)
        if event != "payment.succeeded" and ("payment.succeeded", order) in at.webhooks:
            yield {"kind": "reorder", "event": event, "order": order, "after": "payment.succeeded"}


def _on_payments(at: Addresses) -> Iterator[Fault]:
    for order in range(1, at.orders + 1):
        for kind, values in ON_PAYMENTS.items():
            yield from ({"kind": kind, "order": order, **each} for each in values)

    for kind, values in ON_EVERY_PAYMENT.items():
        yield from ({"kind": kind, **each} for each in values)


def can_make_good(words: Mapping[str, Any]) -> bool:
    """Tell whether a shop that has forgotten a webhook will ask: one that only listens cannot."""
    return bool(words.get("shop", {}).get("tracking", ASKING_TOO) == ASKING_TOO)


def _on_calls(at: Addresses) -> Iterator[Fault]:
    for operation, order, attempt in dict.fromkeys(at.calls):
        # Calls that name no order are counted from before the chaos: the next one is meant.
        aim = {"times": 1} if order is None else {"order": order, "attempt": attempt}
        for kind, values in ON_CALLS.items():
            for each in values:
                yield {"kind": kind, "operation": operation, **aim, **each}
        if operation == "create_payment":
            hold = {"kind": "hold_response", "operation": operation, **aim}
            yield from (hold | {"until": event} for event, of in at.webhooks if of == order)


def _crashes(at: Addresses) -> Iterator[Fault]:
    for site, passages in at.sites:
        for nth in range(1, passages + 1):
            for when in ("before", "after"):
                yield from (crash_at(site, nth, when, down_s) for down_s in DOWN_S)
                yield power_loss_at(site, nth, when, DOWN_S[-1])


def _forgetful(at: Addresses) -> Iterator[Fault]:
    """Yield power cuts that take the webhook with them that was answered last."""
    for site, passages in at.sites:
        if (site["host"], site["site"]) == FORGETFUL_AT:
            for nth in range(1, passages + 1):
                yield power_loss_at(site, nth, "after", DOWN_S[-1]) | {"commits_lost": 1}


def _in_time(at: Addresses) -> Iterator[Fault]:
    """Yield what begins at a moment: at the first order, and whenever a message arrived."""
    for start_s in at.moments_s:
        start = round(start_s, 6)
        yield from ({"kind": "pause", "host": "shop", "start": start, "for": s} for s in PAUSES_S)
        yield from (
            {"kind": "partition", "between": ["psp", "shop"], "start": start, "for": s}
            for s in PARTITIONS_S
        )
        yield from ({"kind": "outage", "start": start, "for": each} for each in OUTAGES)
        yield {"kind": "error", "status": 503, "start": start}
        yield {"kind": "pause", "host": "warehouse", "start": start, "for": PAUSES_S[-1] * 1.5}
        yield {"kind": "turn_away", "start": start, "for": PAUSES_S[-1]}
        for host in ("shop", "psp"):
            yield {"kind": "restart", "host": host, "start": start, "for": RESTART_S}
        if at.chaos_s > ABSENCE_S:
            yield {"kind": "crash", "host": "shop", "start": start, "for": ABSENCE_S}
    for length_s in PARTITIONS_S:
        for by_s in SLOWER_BY_S:
            for other in ("psp", "warehouse"):
                slow = {"kind": "latency", "between": ["shop", other], "by": by_s}
                yield slow | {"for": length_s}
        yield from ({"kind": "skew", "host": "shop", "by": by, "for": length_s} for by in WRONG_BY)
