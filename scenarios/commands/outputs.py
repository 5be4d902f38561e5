"""What a command has to show for its work: each report is tried, whatever became of the others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from rich.console import Console

from scenarios.commands import WRONG_USAGE
from scenarios.errors import WrongUsage
from scenarios.report.documents import write_document
from scenarios.report.files import STANDARD_OUTPUT
from scenarios.report.terminal import make_console

Result = TypeVar("Result")


class Outputs:
    """Tries one output after the other, and remembers which could not be written."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def attempt(self, write: Callable[[], Result]) -> Result | None:
        """Write something; return None if that cannot be done."""
        try:
            return write()
        except WrongUsage as problem:
            self._problems.append(str(problem))
            return None

    def hand_over(
        self,
        show: Callable[[Console], None],
        document: Callable[[], dict[str, Any]],
        json_path: str | None,
    ) -> None:
        """Show the result and write it as JSON; files come first, standard output last."""
        is_shown_aside = json_path == STANDARD_OUTPUT
        if json_path and not is_shown_aside:
            self.attempt(lambda: write_document(document(), json_path))
        self.attempt(lambda: show(make_console(to_stderr=is_shown_aside)))
        if json_path and is_shown_aside:
            self.attempt(lambda: write_document(document(), json_path))

    def status(self, status: int) -> int:
        """Say what could not be written; return the exit status, which is not 0 then."""
        for problem in self._problems:
            sys.stderr.write(f"psp-scenarios: {problem}\n")
        return WRONG_USAGE if self._problems and status == 0 else status
