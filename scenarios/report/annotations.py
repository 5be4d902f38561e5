"""Lines by which GitHub shows a finding on the page of the commit.

Source: docs.github.com, "Workflow commands": ``::error title=…::message``, where percent signs and
line ends are escaped, and in properties colons and commas as well.
"""

from __future__ import annotations

from scenarios.report.story import Told, broken_of, replay_command
from scenarios.verdict import Verdict


def annotation_lines(told: Told) -> list[str]:
    """Return an error for each promise that broke, and a warning for what stayed unproven."""
    lines = []
    for result in told.results:
        again = f"Play it again: {replay_command(told, result)}"
        for broken in broken_of(result):
            title = f"{result.name}: {broken.name}"
            lines.append(_line("error", title, f"{broken.message}\n{again}"))
        if result.verdict is Verdict.UNPROVEN:
            lines.append(_line("warning", f"{result.name}: unproven", "; ".join(result.reasons)))
    return [*lines, *(_line("warning", "the suite: unproven", doubt) for doubt in told.doubts)]


def _line(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
