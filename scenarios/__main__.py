"""The command line: from words to a command, from what it raises to an exit status."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

from scenarios.commands import COMMANDS, WRONG_USAGE
from scenarios.errors import Unreachable, WrongUsage
from scenarios.process_end import end_process
from scenarios.standard_streams import given_up, is_of_a_stream, lose, prepare_streams, tell
from scenarios.stop_requests import INTERRUPTED

NOTHING_PROVEN = 3

STOP_AGAIN_AFTER_S = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    prepare_streams()
    try:
        with _stopped_for_good():
            options = _parser().parse_args(arguments)
            command: Callable[[argparse.Namespace], int] = options.work
            status = command(options)
            sys.stdout.flush()
            return status
    except WrongUsage as problem:
        tell(str(problem))
        return WRONG_USAGE
    except Unreachable as problem:
        tell(str(problem))
        return NOTHING_PROVEN
    except KeyboardInterrupt:
        _forget_what_was_broken_off()
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads has seen enough.
        lose(sys.stdout)
        return INTERRUPTED
    except OSError as problem:
        if not is_of_a_stream(problem):
            raise
        tell(given_up(sys.stdout, problem))
        return WRONG_USAGE


@contextmanager
def _stopped_for_good() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, also where a shell has Ctrl-C ignored.

    It is raised until it is heeded: what is raised inside of a finalizer, for instance, gets lost.
    """

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        _forget_what_was_broken_off()
        signal.setitimer(signal.ITIMER_REAL, STOP_AGAIN_AFTER_S)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, signal.SIGALRM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_what_was_broken_off() -> None:
    """Let Python not complain of coroutines that nobody will await, and of what gets lost."""
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.unraisablehook = lambda _: None


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


def run_as_process() -> NoReturn:
    """Run the command line of this process, and end it."""
    end_process(main())


if __name__ == "__main__":
    run_as_process()
