"""The words of the command line, one file each: ``add_to`` declares, ``_work`` carries out.

Each file is loaded when its word is used, since most load much that the others do not need.
"""

from __future__ import annotations

from typing import NamedTuple

WRONG_USAGE = 2


class Command(NamedTuple):
    """One word, what it does, and the file that does it."""

    word: str
    help: str
    file: str

    @property
    def module(self) -> str:
        """The file as a module to import."""
        return f"{__name__}.{self.file}"


COMMANDS = (
    Command("list", "show scenarios, invariants, mutants and faults", "list_all"),
    Command("run", "play scenarios and say which promises held", "run"),
    Command("matrix", "play every scenario against every broken shop", "matrix"),
    Command(
        "explore", "search for faults that break a promise, and shrink what is found", "explore"
    ),
    Command("replay", "play a failure again from its replay file", "replay"),
    Command("probe", "check any webhook endpoint, without an adapter", "probe"),
    Command("compare", "compare polling with webhooks, figures beside a model", "compare"),
    Command("demo", "show polling beside webhooks, live, on a page", "demo"),
)

__all__ = ["COMMANDS", "WRONG_USAGE", "Command"]
