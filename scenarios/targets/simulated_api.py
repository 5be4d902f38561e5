"""The harness's JSON client inside a world: the same calls, without building httpx's objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scenarios.api import Api
from scenarios.world.exchange import Headers
from scenarios.world.transport import SimulatedTransport


@dataclass(frozen=True)
class SimulatedApi(Api):
    """An ``Api`` over a simulated transport; what is asked and answered is the same."""

    transport: SimulatedTransport

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the decoded answer (None if it is no JSON).

        Raises httpx.HTTPError when no answer comes.
        """
        url = urlsplit(self.base_url)
        assert url.hostname is not None and url.port is not None  # noqa: PT018 (our own URLs)
        sent = b"" if body is None else json.dumps(body).encode()
        status, text = await self.transport.ask(
            method,
            (url.hostname, url.port, url.path + path),
            self._headers(url.netloc, sent),
            sent,
            self.timeout_s,
        )
        try:
            return status, json.loads(text)
        except ValueError:
            return status, None

    def _headers(self, host: str, body: bytes) -> Headers:
        named = {"host": host, "content-type": "application/json", **self.headers}
        if body:
            named["content-length"] = str(len(body))
        return [(name.lower().encode(), value.encode()) for name, value in named.items()]
