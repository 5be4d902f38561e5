"""What a command has to show for its work: each report is tried, whatever became of the others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

from rich.console import Console

from scenarios.commands import WRONG_USAGE
from scenarios.errors import WrongUsage
from scenarios.report.documents import write_document
from scenarios.report.files import STANDARD_OUTPUT
from scenarios.report.terminal import make_console
from scenarios.standard_streams import given_up, is_of_a_stream, tell

Result = TypeVar("Result")


class Outputs:
    """Tries one output after the other, and remembers which could not be written."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def attempt(self, write: Callable[[], Result], stream: TextIO | None = None) -> Result | None:
        """Write something, maybe to a standard stream; return None if that cannot be done."""
        try:
            return write()
        except WrongUsage as problem:
            self._problems.append(str(problem))
        except BrokenPipeError:
            raise
        except OSError as problem:
            if stream is None or not is_of_a_stream(problem):
                raise
            self._problems.append(given_up(stream, problem))
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
        shown_on = sys.stderr if is_shown_aside else sys.stdout
        self.attempt(lambda: show(make_console(to_stderr=is_shown_aside)), shown_on)
        if json_path and is_shown_aside:
            self.attempt(lambda: write_document(document(), json_path), sys.stdout)

    def status(self, status: int) -> int:
        """Say what could not be written; return the exit status, which is not 0 then."""
        for problem in self._problems:
            tell(problem)
        return WRONG_USAGE if self._problems and status == 0 else status
