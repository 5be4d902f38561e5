"""Ctrl-C or SIGTERM comes in; work that has something to show first is told, not broken off."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# What shells tell of a command that Ctrl-C has ended: 128 and the signal's number.
INTERRUPTED = 130


@contextmanager
def noted_stop() -> Iterator[Callable[[], bool]]:
    """Give what tells whether a stop was asked for; a second one does what it always did.

    Who has a signal ignored goes on ignoring it. To be called from the main thread.
    """
    came = False
    before: dict[int, Any] = {}

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True
        restore()

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, note)
    try:
        yield lambda: came
    finally:
        restore()
