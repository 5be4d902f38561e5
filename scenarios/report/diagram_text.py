"""A sequence diagram for the terminal: one column for each participant, one line for each step."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.report.timeline import TimelineStep, participants, written_moment

WIDTH = 32
_TIME = 14


def text_diagram(steps: Sequence[TimelineStep]) -> list[str]:
    """Return the diagram's lines."""
    names = participants(steps)
    lines = [" " * _TIME + "".join(name.center(WIDTH) for name in names).rstrip()]
    lines += [_line(step, names) for step in steps]
    return lines


def _line(step: TimelineStep, names: Sequence[str]) -> str:
    row = list(" " * (WIDTH * len(names)))
    for index in range(len(names)):
        row[_middle(index)] = "│"
    if step.target is None:
        note = f"[{'!' if step.mark != 'normal' else ' '} {step.text} ]"
        _write(row, _middle(names.index(step.source)) - len(note) // 2, note)
    else:
        _arrow(row, _middle(names.index(step.source)), _middle(names.index(step.target)), step)
    mark = {"normal": " ", "fault": "⚡", "broken": "✗"}[step.mark]
    return f"{written_moment(step.at_s):>{_TIME - 3}} {mark} " + "".join(row).rstrip()


def _arrow(row: list[str], start: int, end: int, step: TimelineStep) -> None:
    low, high = min(start, end), max(start, end)
    for position in range(low + 1, high):
        row[position] = "╌" if step.is_answer else "─"
    if step.arrives:
        row[end + (-1 if end > start else 1)] = "▶" if end > start else "◀"
    else:
        row[(start + end) // 2 + (WIDTH // 2 - 2) * (1 if end > start else -1)] = "✗"
    room = WIDTH - 6
    text = step.text if len(step.text) <= room else step.text[: room - 1] + "…"
    first = start + 1 if end > start else start - WIDTH + 1
    _write(row, first + (WIDTH - len(text) - 2) // 2, f" {text} ")


def _middle(index: int) -> int:
    return index * WIDTH + WIDTH // 2


def _write(row: list[str], start: int, text: str) -> None:
    for offset, letter in enumerate(text):
        if 0 <= start + offset < len(row):
            row[start + offset] = letter
