"""SQLite in memory for one disk at a time: emptied and used again, with its statements prepared.

To prepare the statements of a service costs more than to run them, and they are the same in every
run. It only saves time: an emptied database and one on which the script ran are the same.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from scenarios.world.errors import WorldError

# SQLite's own clock and randomness are real. "now" would be another time in every run.
_REAL_FUNCTIONS = (
    "current_timestamp", "current_date", "current_time", "datetime", "date", "time",
    "julianday", "unixepoch", "strftime", "random", "randomblob",
)  # fmt: skip

_STATEMENTS_KEPT = 1000
_IDLE_MAX = 8


class Engine:
    """One database in memory. ``forbidden`` is the function of SQL that it had to refuse."""

    def __init__(self) -> None:
        # It belongs to one world at a time, which may live in another thread than the last one.
        self.connection = sqlite3.connect(
            ":memory:",
            isolation_level=None,
            cached_statements=_STATEMENTS_KEPT,
            check_same_thread=False,
        )
        self.forbidden: str | None = None
        self._script = ""
        self._schema_version = 0
        self._emptying: list[tuple[str, list[Any]]] = []
        for name in _REAL_FUNCTIONS:
            self.connection.create_function(name, -1, self._refusal(name))

    def remember(self, script: str) -> None:
        """Note that this script, and nothing else, has made what is here now."""
        self._script = script
        self._schema_version = self._version()
        tables = self._rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
        self._emptying = [(f'DELETE FROM "{name}"', []) for (name,) in tables]
        for (name,) in tables:
            for row in self._rows(f'SELECT * FROM "{name}"'):
                marks = ", ".join("?" for _ in row)
                self._emptying.append((f'INSERT INTO "{name}" VALUES ({marks})', list(row)))

    def give_back(self) -> None:
        """Keep the database, as the script made it, for who wants it next; or close it."""
        idle = _idle.setdefault(self._script, []) if self._is_known() else None
        if idle is None or len(idle) >= _IDLE_MAX:
            self.connection.close()
            return
        self.connection.execute("BEGIN")
        for statement, values in self._emptying:
            self.connection.execute(statement, values)
        self.connection.execute("COMMIT")
        self.forbidden = None
        idle.append(self)

    def _is_known(self) -> bool:
        return bool(self._script) and self._version() == self._schema_version

    def _version(self) -> int:
        return int(self._rows("PRAGMA schema_version")[0][0])

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.execute(query).fetchall()]

    def _refusal(self, name: str) -> Any:
        def refuse(*_: object) -> None:
            self.forbidden = name
            raise WorldError(name)

        return refuse


# What is free, by script.
_idle: dict[str, list[Engine]] = {}


def engine_with(script: str) -> Engine | None:
    """Return a database that is as the script makes it, or None if there is none to spare."""
    idle = _idle.get(script)
    return idle.pop() if idle else None
