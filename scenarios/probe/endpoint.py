"""The endpoint under test: calls go out one by one, what came back is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from psp_sim.domain.dialects.dialect import Sealed
from scenarios.errors import Unreachable

COMMON_HEADERS = {"content-type": "application/json", "user-agent": "psp-scenarios-probe/0.1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call got: a status, or None and the reason."""

    status: int | None
    took_s: float
    error: str = ""
    location: str = ""

    @property
    def is_success(self) -> bool:
        """Whether a provider takes this for "received"."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether this tells the sender that the call itself was wrong."""
        return self.status is not None and 400 <= self.status < 500 and self.status != 429

    @property
    def is_redirect(self) -> bool:
        """Whether this sends the caller elsewhere."""
        return self.status is not None and 300 <= self.status < 400

    def __str__(self) -> str:
        if self.status is None:
            return self.error
        return f"{self.status} to {self.location}" if self.location else str(self.status)


class Endpoint:
    """One URL. No call waits longer than ``patience_s``."""

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport,
        patience_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.url = url
        self.calls = 0
        self._transport = transport
        self._patience_s = patience_s
        self._monotonic = monotonic

    async def send(self, call: Sealed, headers: Mapping[str, str | None] | None = None) -> Answer:
        """Post a call; further ``headers`` replace its own, None takes one away."""
        merged = {**COMMON_HEADERS, **call.headers, **(headers or {})}
        raw = [(name.encode(), v.encode()) for name, v in merged.items() if v is not None]
        wait = dict.fromkeys(("connect", "read", "write"), self._patience_s) | {"pool": None}
        request = httpx.Request(
            "POST", self.url, headers=raw, content=call.body, extensions={"timeout": wait}
        )
        self.calls += 1
        began = self._monotonic()
        try:
            async with asyncio.timeout(self._patience_s):
                response = await self._transport.handle_async_request(request)
                await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            waited = f"no answer within {self._patience_s:g} s"
            return Answer(None, self._monotonic() - began, waited)
        except httpx.ConnectError as problem:
            if self.calls == 1:
                raise Unreachable(f"{self.url} cannot be reached: {_reason(problem)}") from problem
            return Answer(None, self._monotonic() - began, "connection refused")
        except httpx.HTTPError as problem:
            broke = f"the connection broke: {_reason(problem)}"
            return Answer(None, self._monotonic() - began, broke)
        location = response.headers.get("location", "")
        return Answer(response.status_code, self._monotonic() - began, location=location)


def _reason(problem: httpx.HTTPError) -> str:
    """Return the innermost of the causes that the HTTP client tells of, in words for people."""
    match getattr(problem.__cause__, "args", ()):
        case (_, {"causes": [*_, {"message": str(innermost)}]}):
            return innermost
    return str(problem) or type(problem).__name__
