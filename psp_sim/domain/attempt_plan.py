"""From the faults that hit one webhook attempt to what is really sent."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psp_sim.domain.distribution import Delay
from psp_sim.domain.faults import Fault

RandomFor = Callable[[str], random.Random]

# Faults that add a call of their own beside the genuine one, which they leave alone.
EXTRA_CALLS = ("forge", "unknown_event_type")


@dataclass(frozen=True, slots=True)
class Copy:
    """One call to make: how long after the attempt begins, and under which id.

    ``extra`` names the fault that a call of another event is made for.
    """

    after_s: float
    has_new_id: bool = False
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """What becomes of one attempt. Times are in seconds before any time scale.

    ``fields`` has the fields of each fault that acts, by kind.
    """

    copies: tuple[Copy, ...] = (Copy(0.0),)
    hold_s: float = 0.0
    network_s: float = 0.0
    trickle_s: float = 0.0
    is_lost: bool = False
    timestamp_shift_s: float = 0.0
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def faults(self) -> tuple[str, ...]:
        """The kinds that act on this attempt."""
        return tuple(self.fields)

    def faults_of(self, copy: Copy) -> tuple[str, ...]:
        """Return the kinds that act on one call: an extra one is nothing but itself."""
        if copy.extra is not None:
            return (copy.extra,)
        return tuple([kind for kind in self.fields if kind not in EXTRA_CALLS])


# Nearly every attempt's plan; made once.
UNDISTURBED = AttemptPlan()


def plan_attempt(faults: Sequence[Fault], random_for: RandomFor) -> AttemptPlan:
    """Add up the faults that fired; ``random_for(kind)`` gives each kind its own chance."""
    if not faults:
        return UNDISTURBED
    by_kind: dict[str, list[Mapping[str, Any]]] = {fault.kind: [] for fault in faults}
    for fault in faults:
        by_kind[fault.kind].append(fault.fields)
    delays, reorders = by_kind.get("delay", []), by_kind.get("reorder", [])
    extras = tuple(Copy(0.0, extra=kind) for kind in by_kind if kind in EXTRA_CALLS)
    return AttemptPlan(
        copies=(*_copies(by_kind.get("duplicate", [])), *extras),
        hold_s=_delay_s(delays, "provider", random_for) + _window_s(reorders, random_for),
        network_s=_delay_s(delays, "network", random_for),
        trickle_s=sum(fields["by"] for fields in by_kind.get("slow_body", [])),
        is_lost="drop" in by_kind,
        timestamp_shift_s=sum(fields["by"] for fields in by_kind.get("future_timestamp", []))
        - sum(fields["by"] for fields in by_kind.get("stale_timestamp", [])),
        fields={kind: of_kind[-1] for kind, of_kind in by_kind.items()},
    )


def _delay_s(delays: Sequence[Mapping[str, Any]], where: str, random_for: RandomFor) -> float:
    here: list[Delay] = [fields["by"] for fields in delays if fields["where"] == where]
    if not here:
        return 0.0
    source = random_for("delay")
    return sum(delay.draw(source) for delay in here)


def _window_s(reorders: Sequence[Mapping[str, Any]], random_for: RandomFor) -> float:
    windows_s: list[float] = [each["window"] for each in reorders if each["after"] is None]
    if not windows_s:
        return 0.0
    source = random_for("reorder")
    return sum(source.uniform(0.0, window_s) for window_s in windows_s)


def _copies(duplicates: Sequence[Mapping[str, Any]]) -> tuple[Copy, ...]:
    further = (
        Copy(number * fields["spacing"], has_new_id=fields["ids"] == "new")
        for fields in duplicates
        for number in range(1, fields["copies"])
    )
    return (Copy(0.0), *further)
