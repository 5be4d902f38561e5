"""A small JSON client over any transport, real or simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

PAGE = 100
# How a service says that there is no such thing.
GONE = (404, 410)


@lru_cache(maxsize=1000)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL once: it is the dearest part of a request, and the same ones come again."""
    return httpx.URL(url)


class BadAnswer(Exception):
    """The other side answered, and not with what was asked for; ``status`` if that tells why."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class Api:
    """One service under one base URL. ``timeout_s`` bounds each call."""

    base_url: str
    transport: httpx.AsyncBaseTransport
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the decoded answer (None if it is no JSON).

        Raises httpx.HTTPError when no answer comes.
        """
        status, text = await self.send(method, path, body)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, None

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Return the status and the answer as it came. Raises httpx.HTTPError."""
        timeouts = dict.fromkeys(("connect", "read", "write"), self.timeout_s) | {"pool": None}
        request = httpx.Request(
            method,
            _parsed(self.base_url + path),
            headers={"content-type": "application/json", **self.headers},
            content=None if body is None else json.dumps(body).encode(),
            extensions={"timeout": timeouts},
        )
        response = await self.transport.handle_async_request(request)
        try:
            return response.status_code, await response.aread()
        finally:
            await response.aclose()

    async def get(self, path: str) -> Any:
        """Return a JSON answer. Raises httpx.HTTPError or BadAnswer."""
        status, answer = await self.call("GET", path)
        if status != 200:
            raise BadAnswer(f"GET {self.base_url}{path} answered {status}: {answer}", status)
        return answer

    async def get_all(self, path: str) -> list[Any]:
        """Return every page of a list. Raises httpx.HTTPError or BadAnswer."""
        rows: list[Any] = []
        cursor = ""
        while True:
            page = await self.get(f"{path}?limit={PAGE}{cursor}")
            rows += page["data"]
            if page["next"] is None:
                return rows
            cursor = f"&after={page['next']}"
