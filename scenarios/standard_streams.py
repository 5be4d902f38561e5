"""Standard output and error as they are: closed, full, or without letters for all that we say."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TextIO

# What our signs are where they cannot be written; as a question mark each would mean unproven.
_PLAIN = {"✓": "+", "✗": "x", "×": "x", "–": "-", "→": "->", "←": "<-", "…": "..."}
_ERRORS = "psp-scenarios-plain"
_WRITING_FAILS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF, errno.EIO}


def prepare_streams() -> None:
    """Let what is closed fail when it is written to, and every text fit an encoding."""
    codecs.register_error(_ERRORS, _plain)
    streams: tuple[TextIO | None, TextIO | None] = (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = streams[0] or _closed(1), streams[1] or _closed(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def tell(line: str) -> None:
    """Write a line to standard error, if somebody can hear it."""
    try:
        sys.stderr.write(f"psp-scenarios: {line}\n")
        sys.stderr.flush()
    except OSError:
        lose(sys.stderr)


def is_of_a_stream(problem: OSError) -> bool:
    """Tell whether a problem is one of writing to what is open, not one with a file or a peer."""
    return problem.filename is None and problem.errno in _WRITING_FAILS


def given_up(stream: TextIO, problem: OSError) -> str:
    """Let a stream take and lose everything from now on; return what to tell of it."""
    name = "standard error" if stream is sys.stderr else "standard output"
    lose(stream)
    return f"cannot write to {name}: {problem.strerror}"


def lose(stream: TextIO) -> None:
    """Let what is written to a stream be lost; else Python complains when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _plain(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    text = problem.object[problem.start : problem.end]
    return "".join(_PLAIN.get(letter, "?") for letter in text), problem.end


def _closed(number: int) -> io.TextIOWrapper:
    """Return a stream that takes nothing, under its own number, so that no other file gets it."""
    spare = os.open(os.devnull, os.O_RDONLY)
    if spare != number:
        os.dup2(spare, number)
        os.close(spare)
    return open(number, "w", encoding="utf-8", closefd=False)
