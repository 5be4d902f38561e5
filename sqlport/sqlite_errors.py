"""What SQLite raised comes in; this port's error, in one sentence, goes on."""

from __future__ import annotations

import sqlite3
from typing import NoReturn

from sqlport.errors import ConstraintBroken, DatabaseUnwritable
from sqlport.trouble import Trouble

# The disk is full, broken or read-only, or the file cannot be opened any more. Extended codes have
# these in their lowest byte (https://www.sqlite.org/rescode.html).
_UNWRITABLE = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
)


def raise_clear(problem: sqlite3.Error, trouble: Trouble) -> NoReturn:
    """Raise the error of this port that says the same, or else what SQLite raised."""
    if isinstance(problem, sqlite3.IntegrityError):
        raise ConstraintBroken(f"the database refused a row: {problem}") from problem
    if is_unwritable(problem):
        refusal = DatabaseUnwritable(f"the database cannot store anything: {problem}")
        trouble.note(refusal)
        raise refusal from problem
    raise problem


def is_unwritable(problem: BaseException) -> bool:
    """Tell whether it is the disk's fault."""
    # What was not raised by the engine itself has no code.
    code = getattr(problem, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _UNWRITABLE
