"""Plots as SVG without a library: dots on a logarithmic axis of time, a row for each subject.

Seconds and days stand in one picture, so the axis is the logarithm of one second and more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, LEFT, RIGHT, ROW, TOP = 960, 210, 24, 22, 26
TICKS: Sequence[tuple[float, str]] = (
    (0.01, "10 ms"),
    (0.1, "0.1 s"),
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (21600, "6 h"),
    (86400, "1 d"),
    (259200, "3 d"),
)

Kind = Literal["good", "bad", "lost", "shop", "ship"]


@dataclass(frozen=True, slots=True)
class Dot:
    """One moment, or one duration, in seconds; ``said`` shows when it is pointed at."""

    seconds: float
    kind: Kind
    said: str


@dataclass(frozen=True, slots=True)
class Row:
    """A subject with its dots."""

    name: str
    dots: Sequence[Dot]


def dot_plot(title: str, rows: Sequence[Row], least_s: float = 0.1) -> str:
    """Return an SVG; what is shorter than ``least_s`` stands at the left edge."""
    longest_s = max((dot.seconds for row in rows for dot in row.dots), default=1.0)
    most_s = max(10 * least_s, longest_s * 1.15)
    height = TOP + ROW * len(rows) + 6
    parts = [_ticks(least_s, most_s, height)]
    for number, row in enumerate(rows):
        y = TOP + ROW * number + ROW // 2
        parts.append(
            f'<text class="name" x="{LEFT - 12}" y="{y + 4}" text-anchor="end">'
            f"{escape(row.name)}</text>"
            f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
        )
        parts += [_dot(_x(dot.seconds, least_s, most_s), y, dot) for dot in row.dots]
    return (
        f'<svg class="plot" role="img" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _x(seconds: float, least_s: float, most_s: float) -> float:
    share = math.log(max(seconds, least_s) / least_s) / math.log(most_s / least_s)
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _ticks(least_s: float, most_s: float, height: int) -> str:
    shown = [(s, name) for s, name in TICKS if least_s <= s <= most_s]
    return "".join(
        f'<line class="tick" x1="{_x(s, least_s, most_s)}" y1="{TOP - 4}" '
        f'x2="{_x(s, least_s, most_s)}" y2="{height}"/>'
        f'<text class="tick" x="{_x(s, least_s, most_s)}" y="{TOP - 10}" '
        f'text-anchor="middle">{name}</text>'
        for s, name in shown
    )


def _dot(x: float, y: int, dot: Dot) -> str:
    """Draw each kind in another shape too: colour alone does not reach everybody."""
    said = f"<title>{escape(dot.said)}</title>"
    match dot.kind:
        case "lost":
            cross = f"M{x - 4} {y - 4} L{x + 4} {y + 4} M{x - 4} {y + 4} L{x + 4} {y - 4}"
            return f'<path class="lost" d="{cross}">{said}</path>'
        case "bad":
            return f'<path class="bad" d="M{x} {y - 5} l5 9 h-10 z">{said}</path>'
        case "ship":
            return f'<rect class="ship" x="{x - 4}" y="{y - 4}" width="8" height="8">{said}</rect>'
        case _:
            return f'<circle class="{dot.kind}" cx="{x}" cy="{y}" r="4">{said}</circle>'
