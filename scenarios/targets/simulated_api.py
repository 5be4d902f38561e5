"""The harness's JSON client inside a world: the same calls, without building httpx's objects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec

from scenarios.api import Api
from scenarios.world.exchange import Headers
from scenarios.world.hosts import Host
from scenarios.world.transport import Address, SimulatedTransport


@dataclass(frozen=True)
class SimulatedApi(Api):
    """An ``Api`` over a simulated transport; what is asked and answered is the same.

    With ``host`` a question is not sent again while that host has stored nothing since it answered:
    it would say the same. That goes for what it answers from its store, and so not for its control.
    """

    transport: SimulatedTransport
    host: Host | None = None
    _known: dict[str, tuple[object, bytes]] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the decoded answer (None if it is no JSON).

        Raises httpx.HTTPError when no answer comes.
        """
        version = None
        if self.host is not None and method == "GET" and not path.startswith("/_"):
            version = self.host.version
            known_as_of, known = self._known.get(path, (None, b""))
            if version is not None and version == known_as_of:
                return 200, msgspec.json.decode(known)
        sent = b"" if body is None else json.dumps(body).encode()
        headers = self._headers
        if sent:
            headers = [*headers, (b"content-length", b"%d" % len(sent))]
        host, port, prefix = self._address
        address = Address(host, port, prefix + path)
        answer = await self.transport.call(
            method, address, headers, sent, self.timeout_s, self.timeout_s
        )
        status, text = answer.status, answer.body
        if answer.rest is not None:
            text = b"".join([chunk async for chunk in answer.rest])
        if version is not None and status == 200:
            self._known[path] = version, text
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
