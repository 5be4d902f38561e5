"""Faults by the handful: a name for a kind of weather, and the faults that make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psp_sim.domain.errors import InvalidFault

_LATE = {"distribution": "exponential", "mean": "10s"}
_VERY_LATE = {"distribution": "pareto", "minimum": "1s", "alpha": 1.2}

PRESETS: dict[str, Sequence[Mapping[str, Any]]] = {
    # Nothing goes wrong.
    "calm": (),
    # What every integration meets in its first month.
    "flaky": (
        {"kind": "drop", "probability": 0.1},
        {"kind": "delay", "probability": 0.2, "by": _LATE},
        {"kind": "duplicate", "probability": 0.1},
        {"kind": "error", "probability": 0.05},
        {"kind": "slow_response", "probability": 0.1},
    ),
    # A very bad day, on both sides of the API at once.
    "storm": (
        {"kind": "drop", "probability": 0.3},
        {"kind": "duplicate", "probability": 0.4, "copies": 3, "spacing": "200ms"},
        {"kind": "delay", "probability": 0.4, "by": _VERY_LATE},
        {"kind": "reorder", "probability": 0.2},
        {"kind": "lose_response", "probability": 0.2},
        {"kind": "lose_request", "probability": 0.1},
        {"kind": "error", "probability": 0.2, "when": "after"},
        {"kind": "rate_limit", "probability": 0.1},
    ),
    # The provider is away, and what it sends in the hour of its return is lost at first.
    "blackout": (
        {"kind": "outage", "for": "5m"},
        {"kind": "drop", "attempt": "1..2"},
    ),
    # Somebody is trying to be taken for the provider; the genuine calls come too.
    "hostile": (
        {"kind": "forge", "probability": 0.3},
        {"kind": "tamper_body", "probability": 0.1, "attempt": 1},
        {"kind": "wrong_secret", "probability": 0.1, "attempt": 1},
        {"kind": "corrupt_signature", "probability": 0.1, "attempt": 1},
        {"kind": "missing_signature", "probability": 0.1, "attempt": 1},
        {"kind": "malformed_signature", "probability": 0.1, "attempt": 1},
        {"kind": "stale_timestamp", "probability": 0.1, "attempt": 1},
        {"kind": "future_timestamp", "probability": 0.1, "attempt": 1},
        {"kind": "truncate_body", "probability": 0.1, "attempt": 1},
    ),
}


def expand_preset(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the faults of ``{"preset": NAME}``; any other document is a fault, as it is.

    Raises InvalidFault for a name that is not known, or for anything beside it.
    """
    if "preset" not in document:
        return [document]
    if len(document) > 1:
        raise InvalidFault('a preset stands alone: write {"preset": "storm"}')
    return list(preset_named(document["preset"]))


def preset_named(name: object) -> Sequence[Mapping[str, Any]]:
    """Return the faults of a preset. Raises InvalidFault naming those that there are."""
    if not isinstance(name, str) or name not in PRESETS:
        raise InvalidFault(f"preset {name!r} is not known: use one of {', '.join(PRESETS)}")
    return PRESETS[name]
