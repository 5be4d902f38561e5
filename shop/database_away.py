"""A database that is away for a while: that passes by itself, and is no fault of ours."""

from __future__ import annotations

import logging

from sqlport import DatabaseBusy, DatabaseUnreachable, TransactionConflict

# What passes by itself. Anything else that a database says is a fault of ours, and answered 500.
DATABASE_AWAY = (DatabaseBusy, DatabaseUnreachable, TransactionConflict)

_LOG = logging.getLogger("shop")


def log_failure(who: str, what: str, problem: Exception) -> None:
    """Write why some work failed: in one line if the database is away, else with its traceback."""
    if isinstance(problem, DATABASE_AWAY):
        _LOG.warning("%s waits for the database: %s", who, problem, extra=seldom(who, problem))
    else:
        _LOG.error("%s %s", who, what, exc_info=problem)


def seldom(kind: str, problem: Exception) -> dict[str, str]:
    """Say of a line that one in a while is enough for all of its kind."""
    return {"seldom": f"{kind} {type(problem).__name__}"}
