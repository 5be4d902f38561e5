"""Routes whose paths are worked out once, however often a provider is put together.

Half of the time that this takes went into patterns, which are the same each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import ASGIApp


def route_to(path: str, app: ASGIApp, method: str, name: str) -> Route:
    """Return the route of an ASGI application."""
    pattern = _pattern(path, method, name)
    route = Route.__new__(Route)
    route.__dict__.update(pattern.__dict__, endpoint=app, app=app)
    return route


def route_to_function(
    path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str
) -> Route:
    """Return the route of a function that answers a request."""
    route = route_to(path, request_response(endpoint), method, "endpoint")
    route.endpoint = endpoint
    return route


@cache
def _pattern(path: str, method: str, name: str) -> Route:
    return Route(path, _nobody, methods=[method], name=name)


async def _nobody(_: Request) -> Response:
    raise AssertionError("a pattern of a route answers nothing")
