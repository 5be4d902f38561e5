"""A sequence diagram as SVG, in colours that follow the page's light or dark scheme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from scenarios.report.timeline import TimelineStep, participants, written_moment

COLUMN, ROW, LEFT, TOP = 260, 34, 20, 56
_STYLE = """
svg.sequence { color-scheme: light dark; font: 13px system-ui, sans-serif; }
.sequence text { fill: light-dark(#1c2430, #e4e9f0); }
.sequence text { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
.sequence .life, .sequence .arrow { stroke: light-dark(#8a94a3, #77818f); fill: none; }
.sequence .answer { stroke-dasharray: 5 4; }
.sequence .head { fill: light-dark(#e8edf4, #2a323d); stroke: light-dark(#8a94a3, #77818f); }
.sequence .time { fill: light-dark(#5c6673, #9aa5b3); font-size: 11px; }
.sequence .fault { stroke: light-dark(#b35900, #ffb45c); }
.sequence text.fault { fill: light-dark(#b35900, #ffb45c); }
.sequence .broken { stroke: light-dark(#b3001e, #ff7a8a); }
.sequence text.broken { fill: light-dark(#b3001e, #ff7a8a); font-weight: 600; }
.sequence text, .sequence text.fault, .sequence text.broken {
  stroke: light-dark(#ffffff, #14181e);
}
.sequence .head + text { stroke: none; }
.sequence .back { fill: light-dark(#ffffff, #14181e); stroke: none; }
""".strip()


def svg_diagram(steps: Sequence[TimelineStep], title: str) -> str:
    """Return an SVG document that can stand alone or be put into a page."""
    names = participants(steps)
    width = LEFT + COLUMN * len(names)
    height = TOP + ROW * (len(steps) + 1)
    body = [_life(index, name, height) for index, name in enumerate(names)]
    body += [_step(step, names, TOP + ROW * (row + 1)) for row, step in enumerate(steps)]
    return (
        f'<svg class="sequence" xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}"><title>{escape(title)}</title>'
        f'<style>{_STYLE}</style><rect class="back" width="{width}" height="{height}"/>'
        + "".join(body)
        + "</svg>\n"
    )


def _middle(index: int) -> int:
    return LEFT + COLUMN * index + COLUMN // 2


def _life(index: int, name: str, height: int) -> str:
    x = _middle(index)
    return (
        f'<line class="life" x1="{x}" y1="{TOP - 10}" x2="{x}" y2="{height}"/>'
        f'<rect class="head" x="{x - 60}" y="12" width="120" height="30" rx="6"/>'
        f'<text x="{x}" y="32" text-anchor="middle">{escape(name)}</text>'
    )


def _step(step: TimelineStep, names: Sequence[str], y: int) -> str:
    time = f'<text class="time" x="8" y="{y + 4}">{written_moment(step.at_s)}</text>'
    start = _middle(names.index(step.source))
    if step.target is None:
        middle = start
        line = ""
    else:
        end = _middle(names.index(step.target))
        middle = (start + end) // 2
        line = _arrow(start, end, y, step)
    text = (
        f'<text class="{step.mark}" x="{middle}" y="{y - 5 if line else y + 4}" '
        f'text-anchor="middle">{escape(step.text)}</text>'
    )
    return time + line + text


def _arrow(start: int, end: int, y: int, step: TimelineStep) -> str:
    way = 1 if end > start else -1
    tip = end if step.arrives else end - way * 60
    kind = f"arrow {step.mark}{' answer' if step.is_answer else ''}"
    line = f'<line class="{kind}" x1="{start}" y1="{y}" x2="{tip}" y2="{y}"/>'
    if step.arrives:
        head = f"M{tip - way * 8} {y - 4} L{tip} {y} L{tip - way * 8} {y + 4}"
    else:
        head = f"M{tip - 5} {y - 5} L{tip + 5} {y + 5} M{tip - 5} {y + 5} L{tip + 5} {y - 5}"
    return f'{line}<path class="arrow {step.mark}" d="{head}"/>'
