"""A PostgreSQL URL comes in; what the driver needs, and what may be shown of it, come out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sqlport.errors import BadDatabaseUrl

SCHEMES = ("postgresql", "postgres")
_POOL_SIZE = "pool_size"
_POOL_SIZE_DEFAULT = 10
_POOL_SIZE_MAX = 1000


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """Where a server is and how many connections to keep to it.

    ``for_driver`` may hold a password; ``shown`` never does.
    """

    for_driver: str
    shown: str
    pool_size: int
    has_timeout: bool


def is_postgres(url: str) -> bool:
    """Whether the URL is meant for a PostgreSQL server."""
    return url.partition("://")[0] in SCHEMES


def read_postgres_url(url: str) -> PostgresUrl:
    """Take ``pool_size`` out of ``postgresql://user:password@host:port/name?pool_size=10``.

    Every other parameter is libpq's own
    (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
    Raises BadDatabaseUrl.
    """
    try:
        parts = urlsplit(url)
        shown = _shown(parts)
    except ValueError:
        raise BadDatabaseUrl(
            "cannot read the database URL: write postgresql://user:password@host:port/name, with "
            "special characters of the password percent-encoded"
        ) from None
    parameters = parts.query.split("&") if parts.query else []
    kept = [text for text in parameters if text.partition("=")[0] != _POOL_SIZE]
    names = {text.partition("=")[0] for text in kept}
    return PostgresUrl(
        for_driver=parts._replace(query="&".join(kept)).geturl(),
        shown=shown,
        pool_size=_pool_size(parts.query, shown),
        has_timeout="connect_timeout" in names,
    )


def _shown(parts: SplitResult) -> str:
    host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "")
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{host}{port}{parts.path}"


def _pool_size(query: str, shown: str) -> int:
    text = dict(parse_qsl(query, keep_blank_values=True)).get(_POOL_SIZE, str(_POOL_SIZE_DEFAULT))
    if not text.isdecimal() or not 1 <= int(text) <= _POOL_SIZE_MAX:
        raise BadDatabaseUrl(
            f"cannot open the database {shown!r}: "
            f"pool_size must be a whole number from 1 to {_POOL_SIZE_MAX}, not {text!r}"
        )
    return int(text)
