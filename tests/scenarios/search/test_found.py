"""Plans that a search found and whose failure was mended: the correct shop holds in them.

All failed by the harness's fault, but for the last and what a clock that was set back does.
"""

from __future__ import annotations

import pytest

from scenarios.search.judge_plan import play_plan
from scenarios.search.plan import read_plan

APPROVE = {"do": "approve_payment", "order": 1, "at": "10s"}
FOUND = {
    "nobody is there to approve": {
        "seed": 301,
        "orders": 1,
        "shop": {"tracking": "polling"},
        "faults": [{"kind": "require_action"}],
    },
    "who approves gives up before the shop is back": {
        "seed": 7245,
        "orders": 1,
        "chaos": "4h",
        "steps": [APPROVE],
        "faults": [{"kind": "require_action"}, {"kind": "crash", "for": 10800.0}],
    },
    "what a payer pays for besides never settles either": {
        "seed": 301,
        "orders": 1,
        "steps": [{"do": "pay_for_something_else", "order": 1, "at": "20s"}],
        "faults": [{"kind": "never_settle"}],
    },
    "who is away is asked to restart": {
        "seed": 40075,
        "orders": 1,
        "faults": [{"kind": "restart", "host": "psp", "for": "1s"}] * 2,
    },
    "who was refunded is sent the goods only later": {
        "seed": 40830,
        "orders": 1,
        "steps": [{"do": "refund", "order": 1, "at": "20s"}],
        "faults": [
            {"kind": "skew", "by": "4m", "for": "5s"},
            {"kind": "restart", "host": "warehouse", "for": "5s"},
        ],
    },
    "a lease that was written by a clock that was ahead": {
        "seed": 302,
        "orders": 1,
        "faults": [
            {"kind": "skew", "by": "4m", "for": "5s"},
            {"kind": "crash", "at": {"site": "commit", "nth": 7}, "for": "5s"},
        ],
    },
    "what seems far away to a clock that was set back for a second": {
        "seed": 4245,
        "orders": 1,
        "faults": [{"kind": "skew", "by": "-4m", "start": 2.01, "for": "1s"}],
    },
    "who got no answer is charged just as all seems at rest": {
        "seed": 11484,
        "orders": 1,
        "shop": {"tracking": "polling+backoff"},
        "steps": [APPROVE | {"order": 3, "at": "40s"}],
        "faults": [
            {"kind": "crash", "at": {"site": "commit", "nth": 1, "when": "after"}, "for": "70s"},
            {"kind": "error", "status": 503},
        ],
    },
    "a power cut takes the commit that told of the goods": {
        "seed": 38533,
        "orders": 1,
        "faults": [
            {
                "kind": "power_loss",
                "at": {"site": "response", "path": "/webhooks", "nth": nth, "when": "before"},
                "for": "1s",
                "commits_lost": 1,
            }
            for nth in (1, 2)
        ]
        + [{"kind": "slow_body", "event": "payment.processing", "by": "8s"}],
    },
    "two power cuts of which one takes a commit with it": {
        "seed": 1001,
        "orders": 1,
        "faults": [
            {
                "kind": "power_loss",
                "at": {"site": "response", "path": "/webhooks", "nth": 1, "when": "after"},
                "for": "1s",
                "commits_lost": 1,
            },
            {
                "kind": "power_loss",
                "at": {"site": "commit", "nth": 2, "when": "before"},
                "for": "1s",
            },
        ],
    },
    "what was signed before two rotations comes after both": {
        "seed": 305,
        "orders": 1,
        "steps": [{"do": "rotate_secret", "at": "3s"}],
        "faults": [
            {
                "kind": "crash",
                "host": "shop",
                "at": {"site": "commit", "nth": 9, "when": "before"},
                "for": "1s",
            },
            {"kind": "delay", "event": "payment.processing", "by": "10s", "where": "network"},
        ],
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_the_correct_shop_holds_in_what_a_search_found(name: str) -> None:
    outcome = play_plan(read_plan(FOUND[name]), "correct")
    assert outcome.broken == {}
    assert any(outcome.fired)
