"""A SQLite URL comes in; its file, and how much of that memory may hold, come out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from sqlport.errors import BadDatabaseUrl

_SCHEME = "sqlite:///"
_CACHE_MB, _SYNCHRONOUS = "cache_mb", "synchronous"
# With SQLite's own 2 MB, a large table has its index read anew for every row.
_CACHE_MB_DEFAULT = 64
_CACHE_MB_MAX = 65_536
# NORMAL survives the death of the process, FULL that of the machine, for a wait at every commit
# (https://www.sqlite.org/pragma.html#pragma_synchronous).
_SYNCHRONOUS_DEFAULT, _SYNCHRONOUS_KNOWN = "normal", ("normal", "full")


@dataclass(frozen=True, slots=True)
class SqliteUrl:
    """Where the file is (``:memory:``: nowhere), and how many MB of pages its cache may hold.

    ``synchronous`` is what a commit waits for, in the engine's own word.
    """

    path: str
    cache_mb: int
    synchronous: str


def is_sqlite(url: str) -> bool:
    """Whether the URL is meant for a file of this machine."""
    return url.startswith(_SCHEME)


def read_sqlite_url(url: str) -> SqliteUrl:
    """Read ``sqlite:///path`` (relative), ``sqlite:////path`` (absolute) or ``sqlite:///:memory:``.

    ``?cache_mb=16`` after it bounds the page cache, which grows with the file up to 64 MB
    otherwise; with ``synchronous=full`` a commit survives a power cut. Raises BadDatabaseUrl.
    """
    path, _, query = url.removeprefix(_SCHEME).partition("?")
    if not path:
        raise BadDatabaseUrl("the database URL names no file: use sqlite:///path/to/file")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    text = parameters.pop(_CACHE_MB, str(_CACHE_MB_DEFAULT))
    synchronous = parameters.pop(_SYNCHRONOUS, _SYNCHRONOUS_DEFAULT)
    if parameters:
        raise BadDatabaseUrl(
            f"the database URL {url!r} asks for {', '.join(parameters)}: "
            f"only {_CACHE_MB} and {_SYNCHRONOUS} are known"
        )
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _CACHE_MB_MAX):
        raise BadDatabaseUrl(
            f"{_CACHE_MB}={text} in a database URL is not a whole number from 1 to {_CACHE_MB_MAX}"
        )
    if synchronous not in _SYNCHRONOUS_KNOWN:
        raise BadDatabaseUrl(
            f"{_SYNCHRONOUS}={synchronous} in a database URL is neither normal nor full"
        )
    return SqliteUrl(path, int(text), synchronous)
