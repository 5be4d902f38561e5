"""An exit status comes in; the process ends with it, whatever native threads still do."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """End this process without taking Python apart; what was left for its end to do is done.

    The threads of the HTTP client let go of what a call held a moment after the call is over. One
    that does so while Python is taken apart aborts the process (PyO3, before Python 3.14): a
    command whose last call had found nobody did so once in three to five times.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # Whoever wanted to know whether all was written has flushed before, and told.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
