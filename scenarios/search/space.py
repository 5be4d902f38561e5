"""What the search chooses from: grounds to play on, and for each kind of fault a list of values.

Everything here is finite and written down, so "every single fault" has a meaning: every kind, at
every address of the clean run, with every value of this list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenarios.search.addresses import Addresses, crash_at

Fault = dict[str, Any]

# What a shop can be like, by name. Each is searched on its own.
GROUNDS: dict[str, Mapping[str, Any]] = {
    "webhooks and reconciliation": {},
    "webhooks alone": {"shop": {"tracking": "webhooks"}},
    "webhooks that are not retried": {"provider": {"retry_schedule": "none"}},
    "a secret that is rotated": {"steps": [{"do": "rotate_secret", "at": "3s"}], "orders": 2,
                                 "order_gap": "4s"},
    "polling": {"shop": {"tracking": "polling"}},
    "polling with backoff": {"shop": {"tracking": "polling+backoff"}},
    "long polling": {"shop": {"tracking": "long-polling"}},
    "an event stream": {"shop": {"tracking": "event-stream"}},
}  # fmt: skip

# Fields of each fault on a webhook; every one is tried at every webhook.
ON_WEBHOOKS: dict[str, Sequence[Mapping[str, Any]]] = {
    "drop": ({"attempt": 1}, {}),
    "delay": ({"by": "30s"}, {"by": "12s", "where": "network"}, {"by": "2m", "where": "network"}),
    "duplicate": (
        {"copies": 2, "spacing": 0},
        {"copies": 2, "spacing": "20s"},
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
    "oversize_body": ({"attempt": 1},),
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
    "slow_response": ({"by": "3s"}, {"by": "10s"}),
    "rate_limit": ({"retry_after": "10s"},),
}

ON_PAYMENTS: dict[str, Sequence[Mapping[str, Any]]] = {
    "decline": ({}, {"code": "insufficient_funds"}),
    "settle_after": ({"by": "30s"}, {"by": "20m"}),
    "dispute": (
        {"by": "10s", "decided_after": "10s", "outcome": "lost"},
        {"by": "10s", "decided_after": "10s", "outcome": "won"},
    ),
    "fail_late": ({"by": "20s"},),
}

DOWN_S = (0.5, 20.0)
PAUSES_S = (3.0, 40.0)
PARTITIONS_S = (3.0, 40.0)
OUTAGES = ("3s", "40s")


def singles(at: Addresses) -> Iterator[Fault]:
    """Yield every single fault of the lists above, at every address."""
    for event, order in at.webhooks:
        for kind, values in ON_WEBHOOKS.items():
            yield from ({"kind": kind, "event": event, "order": order, **each} for each in values)
        if event != "payment.succeeded" and ("payment.succeeded", order) in at.webhooks:
            yield {"kind": "reorder", "event": event, "order": order, "after": "payment.succeeded"}
    yield from _on_calls(at)
    for order in range(1, at.orders + 1):
        for kind, values in ON_PAYMENTS.items():
            yield from ({"kind": kind, "order": order, **each} for each in values)
    yield from _crashes(at)
    yield from _in_time(at)


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
