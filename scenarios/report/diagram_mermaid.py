"""A sequence diagram in Mermaid's language, for Markdown that a forge renders."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.report.timeline import TimelineStep, participants, written_moment


def mermaid_diagram(steps: Sequence[TimelineStep]) -> str:
    """Return the text of a ``sequenceDiagram``."""
    lines = ["sequenceDiagram"]
    lines += [f"    participant {name}" for name in participants(steps)]
    return "\n".join([*lines, *(f"    {_line(step)}" for step in steps)]) + "\n"


def _line(step: TimelineStep) -> str:
    mark = {"normal": "", "fault": "⚡ ", "broken": "✗ "}[step.mark]
    text = f"{written_moment(step.at_s)}: {mark}{_safe(step.text)}"
    if step.target is None:
        return f"Note over {step.source}: {text}"
    arrow = ("--" if step.is_answer else "-") + (">>" if step.arrives else "x")
    return f"{step.source}{arrow}{step.target}: {text}"


def _safe(text: str) -> str:
    """Mermaid ends a statement at a semicolon or line break, and a # begins an entity."""
    return text.translate({ord("#"): "#35;", ord(";"): "#59;", ord("\n"): " "})
