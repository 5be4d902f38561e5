"""A wire that can be watched: requests go on to where they belong, and are told of as they pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_METHODS = ["GET", "POST", "PATCH", "DELETE", "HEAD"]
_OF_THE_HOP = ("host", "connection", "content-length", "transfer-encoding", "accept-encoding")
_TIMEOUT_S = 15.0
NO_ANSWER = 502


@dataclass(frozen=True, slots=True)
class Passed:
    """One request with its answer; ``status`` is NO_ANSWER where none came."""

    method: str
    path: str
    status: int
    body: bytes


@dataclass(slots=True)
class Tap:
    """``target`` is a base URL; it may change while the tap runs. ``on_passed`` must not wait."""

    transport: httpx.AsyncBaseTransport
    on_passed: Callable[[Passed], None]
    target: str = ""
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)])

    async def _pass_on(self, request: Request) -> Response:
        body = await request.body()
        try:
            status, headers, answer = await self._forward(request, body)
        except httpx.HTTPError:
            status, headers, answer = NO_ANSWER, [], b""
        path = request.url.path
        self.on_passed(Passed(request.method, path, status, answer))
        response = Response(answer, status)
        response.raw_headers += headers
        return response

    async def _forward(
        self, request: Request, body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        query = f"?{request.url.query}" if request.url.query else ""
        kept = [(k, v) for k, v in request.headers.items() if k not in _OF_THE_HOP]
        forwarded = httpx.Request(
            request.method,
            self.target + request.url.path + query,
            headers=kept,
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), _TIMEOUT_S)},
        )
        response = await self.transport.handle_async_request(forwarded)
        try:
            answer = await response.aread()
        finally:
            await response.aclose()
        headers = [
            (name.lower(), value)
            for name, value in response.headers.raw
            if name.lower().decode() not in _OF_THE_HOP
        ]
        return response.status_code, headers, answer
