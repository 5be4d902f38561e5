"""The harness's JSON client inside a world: the same calls, without building httpx's objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec

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
        host, port, prefix = self._address
        sent = b"" if body is None else json.dumps(body).encode()
        headers = self._headers
        if sent:
            headers = [*headers, (b"content-length", b"%d" % len(sent))]
        status, text = await self.transport.ask(
            method, (host, port, prefix + path), headers, sent, self.timeout_s
        )
        try:
            return status, msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return status, None

    @cached_property
    def _address(self) -> tuple[str, int, str]:
        url = urlsplit(self.base_url)
        assert url.hostname is not None and url.port is not None  # noqa: PT018 (our own URLs)
        return url.hostname, url.port, url.path

    @cached_property
    def _headers(self) -> Headers:
        host = urlsplit(self.base_url).netloc
        named = {"host": host, "content-type": "application/json", **self.headers}
        return [(name.lower().encode(), value.encode()) for name, value in named.items()]
