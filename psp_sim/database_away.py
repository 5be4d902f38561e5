"""A database that is away for a while: that passes by itself, and is no bug of ours."""

from __future__ import annotations

import logging

from psp_sim.domain.errors import DatabaseUnavailable
from sqlport import DatabaseBusy, DatabaseUnreachable, TransactionConflict

# Often enough to be soon after its return, and no burden to a server that comes up.
AGAIN_AFTER_S = 1.0
DATABASE_AWAY = (DatabaseBusy, DatabaseUnreachable, TransactionConflict)

_LOG = logging.getLogger("psp_sim")


def database_unavailable(problem: Exception) -> DatabaseUnavailable:
    """Return what a caller is told, who learns nothing of what is behind us; the log does."""
    _LOG.warning("a call was put off: %s", problem, extra=_seldom("call", problem))
    return DatabaseUnavailable("the provider cannot store or read anything now: try again")


def tell_if_away(who: str, problem: BaseException) -> bool:
    """Tell whether a failure is only the database's being away; if so say so in one line."""
    if isinstance(problem, BaseExceptionGroup):
        away, rest = problem.split(DATABASE_AWAY)
        if away is None or rest is not None:
            return False
        return tell_if_away(who, away.exceptions[0])
    if not isinstance(problem, DATABASE_AWAY):
        return False
    kind = who.partition(" ")[0]
    _LOG.warning("%s waits for the database: %s", who, problem, extra=_seldom(kind, problem))
    return True


def _seldom(kind: str, problem: BaseException) -> dict[str, str]:
    """Say of a line that one in a while is enough for all of its kind."""
    return {"seldom": f"{kind} {type(problem).__name__}"}
