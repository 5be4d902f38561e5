"""One HTTP call to an endpoint: a signed body goes out, a status or none comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache

import httpx

from psp_sim.domain.delivery import WebhookAnswer
from psp_sim.posting_transport import NotCalled, Posted, PostingTransport

ANSWER_BYTES_MAX = 4096
ANSWER_CHARACTERS_KEPT = 300
TRICKLE_PARTS = 10
COMMON_HEADERS = {"content-type": "application/json", "user-agent": "psp-sim/0.1"}


async def send_webhook(
    transport: httpx.AsyncBaseTransport,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    connect_timeout_s: float,
    timeout_s: float,
    trickle_s: float = 0.0,
) -> WebhookAnswer:
    """Send and wait at most ``timeout_s`` in all; what the network does is an answer, no error.

    With ``trickle_s`` the body takes that long to leave.
    """
    try:
        if isinstance(transport, PostingTransport) and not trickle_s:
            posted = await transport.post(
                url, headers, body, timeout_s=timeout_s, answer_bytes_max=ANSWER_BYTES_MAX
            )
        else:
            timeouts = dict.fromkeys(("read", "write"), timeout_s)
            request = httpx.Request(
                "POST",
                _parsed(url),
                headers=dict(headers) | ({"content-length": str(len(body))} if trickle_s else {}),
                content=_trickled(body, trickle_s) if trickle_s else body,
                extensions={"timeout": timeouts | {"connect": connect_timeout_s, "pool": None}},
            )
            async with asyncio.timeout(timeout_s):
                posted = await _handled(transport, request)
    except TimeoutError:
        return WebhookAnswer(error=f"no answer within {timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return WebhookAnswer(error=_reason(problem, connect_timeout_s, timeout_s))
    # NUL is the one character that PostgreSQL does not store.
    kept = posted.body.decode(errors="replace")[:ANSWER_CHARACTERS_KEPT].replace("\0", "\ufffd")
    return WebhookAnswer(posted.status, body=kept, retry_after=posted.retry_after)


async def _handled(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Posted:
    response = await transport.handle_async_request(request)
    try:
        text = await _read_some(response)
    finally:
        await response.aclose()
    return Posted(response.status_code, text, response.headers.get("retry-after"))


async def _trickled(body: bytes, duration_s: float) -> AsyncIterator[bytes]:
    """Give out the body in equal parts over the duration."""
    size = max(1, -(-len(body) // TRICKLE_PARTS))
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(duration_s / TRICKLE_PARTS)


@lru_cache(maxsize=1000)
def _parsed(url: str) -> httpx.URL:
    """Parse an endpoint's URL once: it is the dearest part of making a request."""
    return httpx.URL(url)


async def _read_some(response: httpx.Response) -> bytes:
    """Read to a small cap: an endpoint must not be able to fill the provider's memory."""
    read = bytearray()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        read += chunk
        if len(read) >= ANSWER_BYTES_MAX:
            break
    return bytes(read)


def _reason(problem: Exception, connect_timeout_s: float, timeout_s: float) -> str:
    if isinstance(problem, httpx.ConnectTimeout):
        return f"no connection within {connect_timeout_s:g} s"
    if isinstance(problem, httpx.TimeoutException):
        return f"no answer within {timeout_s:g} s"
    if isinstance(problem, NotCalled):
        return str(problem)
    if isinstance(problem, httpx.ConnectError):
        return "connection refused or reset"
    return f"connection broke off ({type(problem).__name__})"
