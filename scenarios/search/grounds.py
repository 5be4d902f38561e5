"""The grounds to play on: ways in which shop, provider and people can be set up.

Each is searched with the faults that matter to it, all of them listed in ``space``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.search.plan import Plan

Fault = dict[str, Any]

# What faults are aimed at: a ground is searched with all of these, or with those that matter to it.
WEBHOOKS, CALLS, PAYMENTS, CRASHES, MOMENTS = "webhooks", "calls", "payments", "crashes", "moments"
ALL_AIMS = (WEBHOOKS, CALLS, PAYMENTS, CRASHES, MOMENTS)


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


def _lost_dispute(by: str) -> Fault:
    return {"kind": "dispute", "order": 1, "by": by, "decided_after": "1m", "outcome": "lost"}


_DISPUTES_UNTOLD: Sequence[Fault] = (
    {"kind": "drop", "event": "dispute.opened"},
    {"kind": "drop", "event": "dispute.lost"},
)

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
    "a secret that has ended": Ground(
        {
            "orders": 3,
            "order_gap": "20s",
            "chaos": "2m",
            "provider": {"rotation_overlap": "15s"},
            "steps": [{"do": "rotate_secret", "at": "5s"}],
        },
        (),
        [{"kind": "wrong_secret", "secret": "ended", "attempt": 1, "start": "30s"}],
    ),
    "news of kinds that nobody knows": Ground(
        {"provider": {"retry_schedule": "5s,5s,5s"}},
        (),
        [{"kind": "unknown_event_type"}, {"kind": "unknown_fields"}],
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
    "one refund that webhooks tell of": Ground(
        {"steps": [_refund(0.3, "15s")], "chaos": "2m", "shop": {"tracking": "webhooks"}}, (CALLS,)
    ),
    "a crash about a refund": Ground({"steps": [_refund(0.3, "3s")]}, (CRASHES,)),
    "two refunds, and the bank returns one": Ground(
        {"steps": [_refund(0.3, "15s"), _refund(0.4, "30s")], "chaos": "4m"},
        (),
        [{"kind": "refund_fails", "order": 1, "by": "1m", "times": 1}],
    ),
    "a dispute of what a refund has left": Ground(
        {"steps": [_refund(0.3, "15s")], "chaos": "5m"}, (), [_lost_dispute("1m")]
    ),
    "a dispute that no webhook tells of": Ground(
        {"provider": {"retry_schedule": "none"}, "chaos": "10m"},
        (CALLS,),
        [_lost_dispute("3m"), *_DISPUTES_UNTOLD],
    ),
    "a log of many events": Ground(
        {
            "orders": 60,
            "order_gap": "500ms",
            "provider": {"retry_schedule": "none"},
            "chaos": "10m",
        },
        (),
        [_lost_dispute("2m"), *_DISPUTES_UNTOLD],
    ),
    "a log in which much happens in a second": Ground(
        {
            "orders": 30,
            "order_gap": "300ms",
            "provider": {"retry_schedule": "none"},
            "shop": {"reconcile_interval": "4s", "reconcile_interval_cap": "4s"},
            "chaos": "5m",
        },
        (),
        [{"kind": "fail_late", "by": "1m"}, {"kind": "drop", "event": "payment.failed"}],
    ),
    "a bank that takes money back": Ground(
        {"shop": {"tracking": "webhooks"}, "chaos": "5m"},
        (WEBHOOKS,),
        [{"kind": "fail_late", "by": "20s"}],
    ),
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
