"""Query parameters that several operations share: read and checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from starlette.requests import Request

from psp_sim.domain.errors import InvalidRequest
from psp_sim.http_operation import header_of

WAIT_S_MAX = 60.0


def base_url(request: Request) -> str:
    """Return the URL under which the client reaches this service, without a slash at its end."""
    scope = request.scope
    server = tuple(scope["server"]) if scope.get("server") else None
    host = header_of(request, b"host") or ""
    return _base_url(scope["scheme"], host, scope.get("root_path", ""), server)


@lru_cache(maxsize=64)
def _base_url(scheme: str, host: str, root_path: str, server: tuple[str, int | None] | None) -> str:
    """Put it together once for all requests of a client: taking a URL apart is dear."""
    scope = {
        "type": "http",
        "scheme": scheme,
        "server": server,
        "path": "/",
        "root_path": root_path,
        "query_string": b"",
        "headers": [(b"host", host.encode("latin-1"))] if host else [],
    }
    return str(Request(scope).base_url).rstrip("/")


def wait_of(request: Request) -> float:
    """Return for how many seconds the answer may be held. Raises InvalidRequest."""
    text = request.query_params.get("wait", "0")
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= WAIT_S_MAX:
        raise InvalidRequest(f"wait={text!r} is not a number of seconds from 0 to {WAIT_S_MAX:g}")
    return wait_s


def whole_of(request: Request, name: str) -> int | None:
    """Return a whole number, or None if it is not given. Raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidRequest(f"{name}={text!r} is not a whole number")
    return int(text)


def choice_of(request: Request, name: str, allowed: Iterable[str]) -> str | None:
    """Return one of the allowed words, or None if it is not given. Raises InvalidRequest."""
    text = request.query_params.get(name)
    if text is not None and text not in allowed:
        raise InvalidRequest(f"{name}={text!r} is not one of {', '.join(allowed)}")
    return text


def time_of(request: Request, name: str) -> float | None:
    """Return a time in Unix seconds, or None if it is not given. Raises InvalidRequest.

    Without an offset a time is taken as UTC.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as problem:
        raise InvalidRequest(
            f"{name}={text!r} is not a time: write it like 2026-01-31T12:00:00Z"
        ) from problem
