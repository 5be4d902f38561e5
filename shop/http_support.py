"""What every route needs: a bounded body in, problem documents out."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shop.database_away import seldom
from shop.domain.errors import (
    AdminOnly,
    BodyTooLarge,
    BodyTooSlow,
    DatabaseUnavailable,
    MalformedRequest,
    NotJson,
    PeerNotAllowed,
    ShopError,
    TooManyWebhooks,
)
from shop.domain.peer_address import Address, Network, is_in, networks_in, peer_address

# The private network in which services of one installation meet (RFC 1918).
_ADMIN_NETWORKS = networks_in("10.0.0.0/8")
_PAGE_MAX, _PAGE_DEFAULT = 100, 20
# Time for a server to come back, or for a burst to pass.
_DATABASE_BACK_AFTER_S = "2"
_LOG = logging.getLogger("shop")


class RefuseZeroCharacter:
    """Refuses the character zero in paths and queries, in front of all routes.

    PostgreSQL takes no text with it, not even to look for it, so nothing can have such a name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif "\0" in scope["path"]:
            response = _problem(404, "not_found", "Not Found", definite=True)
            await response(scope, receive, send)
        elif b"%00" in scope["query_string"]:
            refusal = MalformedRequest("no parameter of the query may contain the character %00")
            await problem_response(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def json_response(body: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def problem_response(error: ShopError) -> Response:
    """An error as RFC 9457 has it, with our stable code and whether trying again is pointless."""
    response = _problem(error.status, error.code, error.detail, definite=error.definite)
    if isinstance(error, TooManyWebhooks):
        response.headers["retry-after"] = str(math.ceil(error.retry_after_s))
    if isinstance(error, DatabaseUnavailable):
        response.headers["retry-after"] = _DATABASE_BACK_AFTER_S
    return response


async def on_shop_error(_request: Request, error: Exception) -> Response:
    """Translate an error of our own tree."""
    assert isinstance(error, ShopError), "registered for ShopError only"
    return problem_response(error)


async def on_database_error(_request: Request, error: Exception) -> Response:
    """Nothing is known to be stored, so the sender of a webhook has to keep it and come again."""
    _LOG.error("the database gave no usable answer: %s", error, extra=seldom("a call", error))
    return problem_response(DatabaseUnavailable("the shop cannot store anything now: try again"))


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Translate what the router itself refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException), "registered for HTTPException only"
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    definite = error.status_code < 500
    response = _problem(error.status_code, code, error.detail, definite=definite)
    response.headers.update(error.headers or {})
    return response


async def on_unexpected_error(_request: Request, _error: Exception) -> Response:
    """Our own bug: say that much and nothing of its inside."""
    return _problem(500, "internal_error", "this is a fault of the shop", definite=False)


async def read_body(request: Request, *, limit_bytes: int, timeout_s: float) -> bytes:
    """The whole raw body. Raises BodyTooLarge, BodyTooSlow, or MalformedRequest if it breaks off.

    The announced length is only a first check: a body may be sent in chunks without one.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit_bytes:
        raise BodyTooLarge(f"the body is larger than {limit_bytes} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit_bytes:
                    raise BodyTooLarge(f"the body is larger than {limit_bytes} bytes")
                chunks.append(chunk)
    except TimeoutError as problem:
        raise BodyTooSlow(f"the body did not arrive within {timeout_s:g} s") from problem
    except ClientDisconnect as problem:
        raise MalformedRequest("the body broke off") from problem
    return b"".join(chunks)


def require_allowed_peer(
    request: Request, allowed: Sequence[Network], trusted: Sequence[Network]
) -> None:
    """Let through whom the allow-list names; an empty one names all. Raises PeerNotAllowed."""
    if not allowed:
        return
    peer = _peer(request, trusted)
    if peer is None or not is_in(peer, allowed):
        raise PeerNotAllowed(f"webhooks from {peer or 'an unknown address'} are not taken here")


def limit_in(request: Request) -> int:
    """How many entries of a list are asked for. Raises MalformedRequest."""
    text = request.query_params.get("limit")
    if text is None:
        return _PAGE_DEFAULT
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _PAGE_MAX:
        return int(text[:9])
    raise MalformedRequest(f"limit must be a whole number between 1 and {_PAGE_MAX}, not {text!r}")


def require_json(request: Request) -> None:
    """Let through JSON, and a body that does not say what it is. Raises NotJson.

    ``application/json``, with or without parameters, and ``application/anything+json``.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type in ("", "application/json"):
        return
    if not (media_type.startswith("application/") and media_type.endswith("+json")):
        raise NotJson(f"the content type must be application/json, not {media_type!r}")


def require_admin(request: Request, trusted: Sequence[Network]) -> None:
    """Let through only this machine and the private network 10.0.0.0/8. Raises AdminOnly.

    Forwarding headers can be made up: they count only as far as trusted proxies wrote them.
    """
    peer = _peer(request, trusted)
    if peer is not None and (peer.is_loopback or is_in(peer, _ADMIN_NETWORKS)):
        return
    raise AdminOnly(
        f"{request.url.path} answers only on this machine and to 10.0.0.0/8, "
        f"not to {peer or 'an unknown address'}"
    )


def _peer(request: Request, trusted: Sequence[Network]) -> Address | None:
    connection = request.client.host if request.client else ""
    return peer_address(connection, request.headers.getlist("x-forwarded-for"), trusted)


def _problem(status: int, code: str, detail: str, *, definite: bool) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "definite": definite,
    }
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")
