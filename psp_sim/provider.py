"""What the provider's verbs work with: its ports, its settings, and who wakes whom."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import httpx

from psp_sim.bell import Bell
from psp_sim.domain.chance import Chance
from psp_sim.domain.token_bucket import TokenBucket
from psp_sim.fault_book import FaultBook
from psp_sim.metrics import Metrics
from psp_sim.ports import Clock
from psp_sim.settings import Settings
from sqlport import Database


@dataclass(frozen=True)
class Provider:
    """One running provider. Everything that it can reach came in through ``create_app``."""

    settings: Settings
    database: Database
    clock: Clock
    random: random.Random
    transport: httpx.AsyncBaseTransport
    chance: Chance
    faults: FaultBook
    keys_in_use: set[str] = field(default_factory=set)
    # Ids of endpoints of which this process has counted a failure.
    have_failed: set[str] = field(default_factory=set)
    payment_changed: Bell = field(default_factory=Bell)
    event_stored: Bell = field(default_factory=Bell)
    allowance: TokenBucket = field(default_factory=TokenBucket)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    delivery_due: Bell = field(default_factory=Bell)
    delivery_changed: Bell = field(default_factory=Bell)
    faults_changed: Bell = field(default_factory=Bell)
    metrics: Metrics = field(default_factory=Metrics)
    workers: dict[str, bool] = field(default_factory=dict)

    @property
    def bells(self) -> dict[str, Bell]:
        """The bells that every process on the same database hears, by name."""
        names = ("payment_changed", "event_stored", "delivery_due", "delivery_changed")
        return {name: getattr(self, name) for name in (*names, "faults_changed")}

    def scaled(self, seconds: float) -> float:
        """Return how long one of the provider's own delays takes at its time scale."""
        return seconds / self.settings.time_scale

    def keys_live_since(self) -> float:
        """Return since when idempotency keys are known, in Unix seconds."""
        live_s = self.scaled(self.settings.forget_keys_after_s)
        return self.clock.now() - live_s if live_s else 0.0

    def new_id(self, prefix: str) -> str:
        """Return a fresh id like ``pay_5f0c…``.

        It begins with the time, so that ids come in the order of their making: an index of random
        ones is written to all over, and the larger the table the slower.
        """
        return f"{prefix}_{int(self.clock.now() * 1000):011x}{self.random.getrandbits(52):013x}"
