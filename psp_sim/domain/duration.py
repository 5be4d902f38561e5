"""Durations as people write them: ``250ms``, ``5s``, ``1h30m``, ``3d``, or a number of seconds."""

from __future__ import annotations

import re

# Ten years: beyond any use, and still a time that every clock and timer can hold.
DURATION_S_MAX = 3650 * 86400.0

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(value: object) -> float:
    """Return seconds. Raises ValueError with a sentence that shows how to write a duration."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        seconds = value
    elif isinstance(value, str) and _WHOLE.fullmatch(value):
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(value))
    else:
        raise ValueError(
            f'{value!r} is not a duration: write "250ms", "5s", "10m", "1h30m" or "3d"'
        )
    if seconds > DURATION_S_MAX:
        raise ValueError(f"{value!r} is too long a duration: write at most 3650d")
    return float(seconds)


def format_duration(seconds: float) -> str:
    """Return the two largest units, rounded down: ``3d4h``, ``35m5s``, ``250ms``."""
    if seconds < 1:
        return f"{min(round(seconds * 1000), 999)}ms"
    parts: list[str] = []
    rest = int(seconds)
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_UNITS_S[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])
