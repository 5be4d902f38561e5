"""The command line: from words to a command, from what it raises to an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psp-scenarios", description="Prove whether a webhook consumer is correct."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
