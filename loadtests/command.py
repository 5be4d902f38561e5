"""What a command does comes in; its exit status goes out, also when somebody stops it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import httpx

from loadtests.arguments import WrongUsage
from loadtests.processes import CouldNotStart
from loadtests.stopping import listen
from loadtests.thresholds import WrongThresholds
from loadtests.verify import BROKEN, NOTHING_SHOWN

WRONG_USAGE, INTERRUPTED = 2, 130


def exit_status(name: str, run: Callable[[], int]) -> int:
    """Run it to its end, or until somebody stops us; tell in a line why it came to nothing."""
    listen()
    try:
        return run()
    except (WrongThresholds, WrongUsage) as problem:
        return _told(name, str(problem), WRONG_USAGE)
    except CouldNotStart as problem:
        return _told(name, str(problem), NOTHING_SHOWN)
    except httpx.HTTPError as problem:
        return _told(name, f"a service no longer answers as it should: {problem!r}", BROKEN)
    except KeyboardInterrupt:
        return INTERRUPTED


def _told(name: str, sentence: str, status: int) -> int:
    sys.stderr.write(f"{name}: {sentence}\n")
    return status
