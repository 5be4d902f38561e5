"""The ways of learning an outcome that are compared, each by nothing but the shop's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shop.settings import (
    EVENT_STREAM,
    LONG_POLLING,
    POLLING,
    POLLING_WITH_BACKOFF,
    WEBHOOKS,
    WEBHOOKS_AND_RECONCILIATION,
)
from shop.settings import Settings as ShopSettings

Kind = Literal[
    "polling", "backoff", "event-log", "long-polling", "event-stream", "webhooks", "reconciliation"
]

# Longer than any run: a way of learning that is not part of the strategy never gets its turn.
NEVER_S = 10_000_000.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """A name for the tables, and the settings of a shop that lives by it.

    ``background`` are the shop's kinds of request that come however few payments there are.
    """

    name: str
    kind: Kind
    meaning: str
    settings: Mapping[str, Any]
    background: tuple[str, ...] = field(default=())

    @property
    def shop(self) -> ShopSettings:
        """The whole settings, for the model to read times from."""
        return ShopSettings(**self.settings)

    @property
    def needs_public_address(self) -> bool:
        """Whether the provider has to be able to call the shop."""
        return self.shop.uses_webhooks


# The event log would tell a polling shop what it is to find out by asking.
_NO_EVENT_LOG = {"reconcile_interval_s": NEVER_S, "reconcile_interval_cap_s": NEVER_S}


def fixed_polling(interval_s: float) -> Strategy:
    """Return fixed polling about each open order, every ``interval_s`` seconds."""
    return Strategy(
        f"polling {interval_s:g} s",
        "polling",
        f"asks about each open order every {interval_s:g} s",
        {"tracking": POLLING, "polling_interval_s": interval_s, **_NO_EVENT_LOG},
    )


_EVENT_LOG_EVERY_S = 5.0

STRATEGIES: tuple[Strategy, ...] = (
    fixed_polling(5.0),
    fixed_polling(15.0),
    fixed_polling(30.0),
    Strategy(
        "polling, backoff",
        "backoff",
        "asks about each open order after 1 s, then ever more seldom, at most a minute apart",
        {"tracking": POLLING_WITH_BACKOFF, **_NO_EVENT_LOG},
    ),
    Strategy(
        f"event log {_EVENT_LOG_EVERY_S:g} s",
        "event-log",
        f"reads what is new in the provider's event log every {_EVENT_LOG_EVERY_S:g} s",
        {
            "tracking": POLLING,
            "polling_interval_s": NEVER_S,
            "reconcile_interval_s": _EVENT_LOG_EVERY_S,
            "reconcile_interval_cap_s": _EVENT_LOG_EVERY_S,
        },
        ("event-log",),
    ),
    Strategy(
        "long polling",
        "long-polling",
        "holds one question open about each open order",
        {"tracking": LONG_POLLING, **_NO_EVENT_LOG},
    ),
    Strategy(
        "event stream",
        "event-stream",
        "holds one connection open, on which every event comes",
        {"tracking": EVENT_STREAM},
        ("event-stream",),
    ),
    Strategy("webhooks", "webhooks", "waits to be told", {"tracking": WEBHOOKS}),
    Strategy(
        "webhooks + reconciliation",
        "reconciliation",
        "is told, and asks about what stays open for a minute",
        {"tracking": WEBHOOKS_AND_RECONCILIATION},
        ("event-log",),
    ),
)
