"""Signals that stop us come in; Stopped goes out, once, and at no bad moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """Somebody stops us.

    Not a plain KeyboardInterrupt: if that leaves code which comes as text, as a dataclass's does,
    a module run by its name dies of SIGINT at its end, whatever its exit status.
    """


class _Holding:
    """Whether a stop has to wait, and whether one does."""

    is_on = False
    has_come = False


def listen() -> None:
    """Take every signal that stops us for Ctrl-C, but leave one alone that nohup keeps away."""
    for number in STOPS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


@contextmanager
def stop_held_back() -> Iterator[None]:
    """Hold a stop back until the end: what is begun here must not be lost sight of half-way.

    Raises Stopped at the end if one came, even where that made it fail.
    """
    _Holding.is_on = True
    try:
        yield
    finally:
        _Holding.is_on = False
        if _Holding.has_come:
            _Holding.has_come = False
            raise Stopped


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Once only: a second Ctrl-C must not break off the tidying up after the first.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    if not _Holding.is_on:
        raise Stopped
    _Holding.has_come = True
