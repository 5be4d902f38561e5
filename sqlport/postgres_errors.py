"""What the PostgreSQL driver raised comes in; this port's error, in one sentence, comes out."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolClosed

from sqlport.errors import (
    ConstraintBroken,
    DatabaseError,
    DatabaseUnreachable,
    DatabaseUnwritable,
    TransactionConflict,
)

# A server that has become a standby of another one takes no writes either.
_UNWRITABLE = (
    psycopg.errors.DiskFull,
    psycopg.errors.IoError,
    psycopg.errors.ReadOnlySqlTransaction,
)
UNREACHABLE = "the database cannot be reached"


def clear_error(problem: psycopg.Error) -> DatabaseError:
    """The error of this port that says the same; nothing in it is secret."""
    kind, before, after = _meaning(problem)
    return kind(f"{before}: {reason_of(problem)}{after}")


def reason_of(problem: Exception) -> str:
    """The first line of what the server or the driver said, without what the driver adds."""
    first_line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return first_line.removeprefix("connection failed: ").rstrip(".")


def _meaning(problem: psycopg.Error) -> tuple[type[DatabaseError], str, str]:
    if isinstance(problem, PoolClosed):
        return DatabaseError, "the database is closed", ""
    if isinstance(problem, psycopg.IntegrityError):
        return ConstraintBroken, "the database refused a row", ""
    if isinstance(problem, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
        return TransactionConflict, "another transaction was in the way", "; try again"
    if isinstance(problem, _UNWRITABLE):
        return DatabaseUnwritable, "the database cannot store anything", ""
    if isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError):
        return DatabaseUnreachable, UNREACHABLE, ""
    return DatabaseError, "the database refused a statement", ""
