"""A TOML file that people wrote, or one line that says why it is none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from scenarios.errors import WrongUsage

_WHOLE_NUMBER_MAX = 2**63


def read_toml(path: Path) -> dict[str, Any]:
    """Return what is in the file. Raises WrongUsage naming the file, or OSError.

    Whatever takes a number from it can write it out again in a message.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise WrongUsage(f"{path}: {problem}") from problem
    except RecursionError:
        raise WrongUsage(f"{path}: its lists or tables lie too deep in each other") from None
    except ValueError:
        # Python reads no number of thousands of digits, and says so in words about itself.
        raise _too_large(path) from None
    if _has_too_large_a_number(document):
        raise _too_large(path)
    return document


def _too_large(path: Path) -> WrongUsage:
    return WrongUsage(f"{path}: a whole number in it has more than 64 bits")


def _has_too_large_a_number(document: dict[str, Any]) -> bool:
    left: list[Any] = [document]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and not -_WHOLE_NUMBER_MAX <= value < _WHOLE_NUMBER_MAX:
            return True
    return False
