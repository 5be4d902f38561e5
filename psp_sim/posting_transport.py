"""A transport that can also make one plain call, without any of httpx's objects around it.

Those objects, and reading an answer through them, cost four times as much as the call itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import httpx


class Posted(NamedTuple):
    """The answer to a call: its status, the beginning of its body, and when to come back."""

    status: int
    body: bytes
    retry_after: str | None


class NotCalled(httpx.ConnectError):
    """Nobody was called; its text is one sentence that tells why, fit to be shown."""


class PostingTransport(httpx.AsyncBaseTransport):
    """What a transport may offer beside httpx's own interface; both lead over the same wire."""

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout_s: float,
        answer_bytes_max: int,
    ) -> Posted:
        """Send and read so much of the answer, in ``timeout_s`` all together.

        Raises TimeoutError when it takes longer, httpx.TransportError when no whole answer comes,
        and httpx.InvalidURL.
        """
        raise NotImplementedError
