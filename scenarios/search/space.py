"""What the search chooses from: for each kind of fault a list of values to try on each ground.

Everything here is finite and written down, so "every single fault" has a meaning: every kind, at
every address of the clean run, with every value of this list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenarios.search.addresses import Addresses, crash_at, power_loss_at
from scenarios.search.grounds import CALLS, CRASHES, MOMENTS, PAYMENTS, WEBHOOKS, Ground

Fault = dict[str, Any]

# A shop that listens and asks too, which is the default.
ASKING_TOO = "webhooks+reconciliation"
# Where the last commit is that of a webhook, and so can be made good after it was lost.
FORGETFUL_AT = ("shop", "response")

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
# Calls whose answer may come after news of what they ask for, and how the types of that begin.
_TOLD_MEANWHILE = {"create_payment": "payment.", "create_refund": "refund."}
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
        if told := _TOLD_MEANWHILE.get(operation):
            hold = {"kind": "hold_response", "operation": operation, **aim}
            events = (event for event, of in at.webhooks if of == order and event.startswith(told))
            yield from (hold | {"until": event} for event in events)


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
