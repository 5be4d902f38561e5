"""What all strategies have to cope with: the same customers, and the same time to settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from scenarios.world.randomness import keyed_random

ARRIVALS_PER_HOUR = 1000.0

# Card payments with a step in the payer's banking app: half are through within 30 s, the slowest
# percent takes three minutes. Smooth and wide, so that no polling interval falls into step with it.
SETTLE_AFTER: Mapping[str, Any] = {"distribution": "lognormal", "median": "30s", "sigma": 0.8}


@dataclass(frozen=True, slots=True)
class Workload:
    """Poisson arrivals of ``payments`` customers, and how long a payment takes to settle.

    ``settle_after`` is a delay in the words of the provider's configuration.
    """

    payments: int
    seed: int
    per_hour: float = ARRIVALS_PER_HOUR
    settle_after: Mapping[str, Any] = field(default_factory=lambda: SETTLE_AFTER)

    @property
    def window_s(self) -> float:
        """Seconds in which customers come, on average; weather is timed by it."""
        return self.payments / self.per_hour * 3600

    def arrivals_s(self) -> list[float]:
        """Return when each customer comes, in seconds from the start, in order."""
        chance = keyed_random(self.seed, "arrivals")
        rate = self.per_hour / 3600
        return list(accumulate(chance.expovariate(rate) for _ in range(self.payments)))
