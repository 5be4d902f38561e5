"""What a scenario is played on: a provider, a shop and a warehouse, however they came to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from scenarios.api import Api
from scenarios.evidence import Incident, Pace
from scenarios.shop_under_test import ShopUnderTest
from scenarios.vocabulary import PlannedFault
from scenarios.warehouse import Warehouse


class WorldControl(Protocol):
    """The faults that only a world can make happen."""

    def begin(self, fault: PlannedFault) -> None:
        """Let it happen now, or arm it for the point that it names."""
        ...

    async def heal(self) -> None:
        """Undo all of them and have every host running again."""
        ...

    def fired(self) -> list[int]:
        """Return how often each begun fault has acted, in the order of ``begin``."""
        ...

    def incidents(self) -> Sequence[Incident]:
        """Return what befell the hosts because of these faults."""
        ...

    def began_at(self) -> list[float | None]:
        """Return when each began to act, in the stage's time; None for one that never did."""
        ...

    def ended_at(self) -> list[float | None]:
        """Return when each was over and its host ready again; None where only its plan says."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How far a run adapts to the pace of a service, in real seconds.

    The chaos goes on for up to ``longer_chaos_s`` while a fault has not fired, and ends early when
    nothing is left to happen. A service to which nothing is on its way any more has
    ``idle_limit_s`` to come to its end; the time during which ``is_disturbed`` does not count.
    """

    longer_chaos_s: float
    idle_limit_s: float
    is_disturbed: Callable[[], bool]


@dataclass(frozen=True)
class Stage:
    """``pace`` is how soon the shop acts, in this stage's seconds; None where nobody knows.

    ``mends_endpoint`` tells that something may befall its endpoint, and that it looks after it.

    ``time_scale`` is how many times faster than written the scenario's times pass here.

    ``patience`` is for services whose own time cannot be compressed; without it every time of the
    scenario is exact.
    """

    provider: Api
    shop: ShopUnderTest
    warehouse: Warehouse
    now: Callable[[], float]
    seed: int
    time_scale: float = 1.0
    world: WorldControl | None = None
    patience: Patience | None = None
    pace: Pace | None = None
    mends_endpoint: bool = False

    def scaled(self, seconds: float) -> float:
        """Return how long a time of the scenario takes on this stage."""
        return seconds / self.time_scale
