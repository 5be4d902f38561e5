"""What the presenter can turn, and the provider's faults that it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from scenarios.demo.pace import Pace

LIMITS: Mapping[str, tuple[float, float]] = {
    "polling_interval_s": (0.5, 30.0),
    "settlement_s": (0.0, 30.0),
    "drop_percent": (0.0, 100.0),
    "duplicate_percent": (0.0, 100.0),
    "delay_s": (0.0, 30.0),
    "customers_per_minute": (0.0, 300.0),
}


class BadKnob(ValueError):
    """A knob that there is not, or a value that it cannot have; the text is for the presenter."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """Times in seconds, shares in percent. ``wrong_url`` sends webhooks where nobody listens."""

    polling_interval_s: float = 3.0
    settlement_s: float = 4.0
    drop_percent: float = 0.0
    duplicate_percent: float = 0.0
    delay_s: float = 0.0
    customers_per_minute: float = 40.0
    wrong_url: bool = False

    @classmethod
    def at(cls, pace: Pace) -> Knobs:
        """Return the knobs of the start."""
        live = cls()
        return cls(
            polling_interval_s=pace.of(live.polling_interval_s),
            settlement_s=pace.of(live.settlement_s),
            customers_per_minute=round(live.customers_per_minute / pace.factor),
        )

    def turned(self, changes: Mapping[str, Any]) -> Knobs:
        """Return these knobs with some turned. Raises BadKnob."""
        known = {one.name for one in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise BadKnob(f"{name!r} is no knob: there are {', '.join(sorted(known))}")
            _check(name, value)
        return replace(self, **changes)

    def faults(self) -> list[dict[str, Any]]:
        """Return what to install at each provider, in the words of its control API."""
        found: list[dict[str, Any]] = [{"kind": "settle_after", "by": f"{self.settlement_s}s"}]
        if self.drop_percent:
            found.append({"kind": "drop", "probability": self.drop_percent / 100})
        if self.duplicate_percent:
            found.append(
                {
                    "kind": "duplicate",
                    "probability": self.duplicate_percent / 100,
                    "copies": 2,
                    "spacing": "500ms",
                }
            )
        if self.delay_s:
            found.append({"kind": "delay", "by": f"{self.delay_s}s"})
        return found

    def as_json(self) -> dict[str, Any]:
        """Return every knob by name."""
        return asdict(self)


def _check(name: str, value: Any) -> None:
    if name == "wrong_url":
        if not isinstance(value, bool):
            raise BadKnob("wrong_url is true or false")
        return
    low, high = LIMITS[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise BadKnob(f"{name} is a number from {low:g} to {high:g}")
