"""The command line: from words to a command, from what it raises to an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from scenarios.commands import COMMANDS
from scenarios.errors import Unreachable, WrongUsage

WRONG_USAGE = 2
NOTHING_PROVEN = 3
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.work
    try:
        return command(options)
    except WrongUsage as problem:
        print(f"psp-scenarios: {problem}", file=sys.stderr)
        return WRONG_USAGE
    except Unreachable as problem:
        print(f"psp-scenarios: {problem}", file=sys.stderr)
        return NOTHING_PROVEN
    except KeyboardInterrupt:
        return INTERRUPTED


class CommandParser(argparse.ArgumentParser):
    """The options of one command, declared by its file when they are first needed."""

    def __init__(self, *, module: str = "", **options: Any) -> None:
        super().__init__(**options)
        self._module = module

    def declare(self) -> None:
        """Load the command's file and let it declare its options, once."""
        module, self._module = self._module, ""
        if module:
            import_module(module).add_to(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what the command's file declares."""
        self.declare()
        return super().parse_known_args(args, namespace)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psp-scenarios", description="Prove whether a webhook consumer is correct."
    )
    words = parser.add_subparsers(dest="command", required=True, parser_class=CommandParser)
    for command in COMMANDS:
        words.add_parser(command.word, help=command.help, module=command.module)
    return parser


if __name__ == "__main__":
    sys.exit(main())
