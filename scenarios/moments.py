"""When things happened at the provider, as Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def moment(text: str) -> float:
    """Return an ISO 8601 time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def began_at(attempt: Mapping[str, Any]) -> float:
    """Return when a call to the shop began."""
    return moment(attempt["started"])


def ended_at(attempt: Mapping[str, Any]) -> float:
    """Return when a call to the shop was answered, or given up."""
    return began_at(attempt) + float(attempt["duration_ms"]) / 1000
