"""Words of a command line come in; what they mean goes out, or a sentence about what is wrong."""

from __future__ import annotations

import argparse
import os
import re
import socket
import tempfile
from pathlib import Path

WITHOUT_FAULTS = "calm"
# As the provider names them; it is a program of its own here, of which nothing is imported.
PRESETS = (WITHOUT_FAULTS, "flaky", "storm", "blackout", "hostile")
PORT_MAX = 65535
_DURATION = re.compile(r"(\d+)(s|m)?", re.ASCII)


class WrongUsage(Exception):
    """What was asked for cannot be done; the text says why."""


def positive(text: str) -> int:
    """Read a whole number above 0. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def zero_or_more(text: str) -> int:
    """Read a whole number. Raises ArgumentTypeError."""
    return 0 if text == "0" else positive(text)


def port_number(text: str) -> int:
    """Read a port that can be asked for. Raises ArgumentTypeError."""
    port = positive(text)
    if port > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {PORT_MAX}")
    return port


def seconds(text: str) -> int:
    """Read a duration like ``20s`` or ``2m``. Raises ArgumentTypeError."""
    found = _DURATION.fullmatch(text)
    if found and int(found[1]) > 0:
        return int(found[1]) * (60 if found[2] == "m" else 1)
    raise argparse.ArgumentTypeError(f"{text!r} is not a duration: write it like 20s or 2m")


def check_reports(folder: Path) -> None:
    """Make the folder, and see that files can be made there. Raises WrongUsage."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as problem:
        raise WrongUsage(f"cannot write into {folder}: {problem.strerror}") from problem


def check_web_port(port: int) -> None:
    """See that locust's page can be there. Raises WrongUsage."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        raise WrongUsage(f"cannot show locust's page on 127.0.0.1:{port}: {why}") from problem
