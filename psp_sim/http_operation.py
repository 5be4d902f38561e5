"""What every operation of the API has in common: the key, the body, the faults, the error shape."""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from psp_sim.database_away import DATABASE_AWAY, database_unavailable
from psp_sim.domain.errors import (
    BodyTooLarge,
    InvalidRequest,
    PspError,
    RateLimited,
    SimulatedError,
    Unauthorized,
    Unexpected,
)
from psp_sim.domain.faults import Fault, Moment
from psp_sim.domain.script import parse_script
from psp_sim.hold_answer import hold_answer, payment_id_of, retry_after_s
from psp_sim.http_nul import refuse_nul_in_json, refuse_nul_in_target
from psp_sim.http_route import route_to
from psp_sim.provider import Provider
from psp_sim.store import order_number_of, payment_by_id

Handler = Callable[[Provider, Request, bytes], Awaitable[Response]]

Model = TypeVar("Model")

BUG = "this is a bug of the provider; its log has the details"

_UNHIT: tuple[Moment, list[tuple[str, Fault]]] = (Moment(), [])

PAGE_DEFAULT = 20
PAGE_MAX = 100


class NoAnswer(Response):
    """Holds the request until the client goes away: what a lost message looks like to it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send nothing."""
        try:
            await _until_gone(receive)
        except asyncio.CancelledError:
            # The server stops. To it, ending without an answer is an orderly end only like this.
            _abort(scope)
            await _until_gone(receive)


class JsonText(Response):
    """An answer that is JSON already; put together without looking for what may be missing."""

    def __init__(self, text: str, status_code: int, *headers: tuple[bytes, bytes]) -> None:
        self.status_code = status_code
        self.background = None
        self.body = text.encode()
        self.raw_headers = [
            *headers,
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]


class BrokenConnection(Response):
    """Breaks the connection off without an answer, where the server lets the application do so."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send nothing."""
        _abort(scope)
        await _until_gone(receive)


def _abort(scope: Scope) -> None:
    abort = scope.get("extensions", {}).get("connection.abort")
    if abort is not None:
        abort()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def operation(provider: Provider, path: str, method: str, name: str, handle: Handler) -> Route:
    """Return the route of one operation of ``/v1``; ``name`` is what faults select it by."""

    return route_to(path, Operation(provider, name, handle), method, name)


class Operation:
    """One operation as an ASGI application: the router calls it with nothing in between."""

    def __init__(self, provider: Provider, name: str, handle: Handler) -> None:
        self._provider = provider
        self._name = name
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await _answer(self._provider, request, self._name, self._handle)
        except PspError as error:
            response = problem(error)
        except DATABASE_AWAY as away:
            response = problem(database_unavailable(away))
        except ClientDisconnect:
            response = NoAnswer()
        except Exception:
            # Told to the client here, since nothing may stand around; and to the server's log.
            self._provider.metrics.count_request(self._name, Unexpected.status)
            await problem(Unexpected(BUG))(scope, receive, send)
            raise
        if not isinstance(response, NoAnswer | BrokenConnection):
            self._provider.metrics.count_request(self._name, response.status_code)
        await response(scope, receive, send)


async def _answer(provider: Provider, request: Request, name: str, handle: Handler) -> Response:
    settings = provider.settings
    now = provider.clock.now()
    if provider.faults.outage(now, settings.time_scale) is not None:
        async with provider.database.transaction() as transaction:
            provider.faults.count_outage(now, settings.time_scale)
            await provider.faults.save_counts(transaction)
        return BrokenConnection()
    authorise(settings.api_key, request)
    wait_s = provider.allowance.take(settings.requests_per_second, now)
    if wait_s:
        raise RateLimited(math.ceil(wait_s))
    refuse_nul_in_target(request.scope)
    body = await read_body(request, settings.body_bytes_max)
    may_be_hit = provider.faults.has_any("api") or b'"sim"' in body
    moment, hits = await _strike(provider, request, name, body) if may_be_hit else _UNHIT
    faults = {fault.kind: fault for _, fault in hits}
    if "lose_request" in faults:
        return NoAnswer()
    if "rate_limit" in faults:
        raise RateLimited(retry_after_s(provider, faults["rate_limit"]))
    error = faults.get("error")
    if error is not None and error.fields["when"] == "before":
        raise SimulatedError(error.fields["status"])
    try:
        response = await handle(provider, request, body)
    except PspError as refusal:
        response = problem(refusal)
    if provider.faults.outage(provider.clock.now(), settings.time_scale) is not None:
        return BrokenConnection()  # it began while the question was held
    if hits:
        payment_id = payment_id_of(request.path_params, bytes(getattr(response, "body", b"")))
        await hold_answer(provider, hits, moment, payment_id)
    if "lose_response" in faults:
        return NoAnswer()
    if error is not None:
        raise SimulatedError(error.fields["status"])
    return response


async def _strike(
    provider: Provider, request: Request, name: str, body: bytes
) -> tuple[Moment, list[tuple[str, Fault]]]:
    """Return which call this is, and the faults that hit it, with their ids."""
    document = _json_object(body)
    reference = document.get("reference")
    script = _script(document)
    number: int | None = None
    async with provider.database.transaction() as transaction:
        if isinstance(reference, str):
            number = await order_number_of(transaction, reference)
        elif payment_id := request.path_params.get("payment_id") or document.get("payment"):
            payment = await payment_by_id(transaction, str(payment_id))
            if payment is not None:
                number, reference = payment.order_number, payment.reference
                script = _script({"metadata": dict(payment.metadata)})
        subject = str(reference or request.scope["path"])
        attempt = provider.faults.count_call(name, subject)
        moment = Moment(operation=name, order=number, reference=reference, attempt=attempt)
        fired = provider.faults.fire("api", moment, script)
        await provider.faults.save_counts(transaction)
    return moment, fired


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        return decode(body, dict[str, Any])
    except InvalidRequest:
        return {}


def _script(document: dict[str, Any]) -> list[Fault]:
    metadata = document.get("metadata")
    script = metadata.get("sim") if isinstance(metadata, dict) else None
    return parse_script(script) if isinstance(script, str) else []


def authorise(api_key: str, request: Request) -> None:
    """Check the API key. Raises Unauthorized."""
    scheme, _, token = (header_of(request, b"authorization") or "").partition(" ")
    matches = hmac.compare_digest(token.strip().encode(), api_key.encode())
    if scheme.lower() != "bearer" or not matches:
        raise Unauthorized(
            "send the API key as Authorization: Bearer KEY: the one that the provider was given, "
            "or that it printed when it started"
        )


def header_of(request: Request, name: bytes) -> str | None:
    """Return a header, the first of its name; ``name`` in small letters, as servers hand it on.

    The framework's way makes an object of all headers first, which costs four times as much.
    """
    for each, text in request.scope["headers"]:
        if each == name:
            return str(text, "latin-1")
    return None


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read the whole body. Raises BodyTooLarge as soon as it is over the limit."""
    body: bytes = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise BodyTooLarge(f"the body is over the limit of {bytes_max} bytes: send less")
        if not message.get("more_body", False):
            return body


def decode(body: bytes, model: type[Model]) -> Model:
    """Read a JSON body into its model. Raises InvalidRequest naming the field."""
    refuse_nul_in_json(body)
    try:
        return msgspec.json.decode(body, type=model)
    except RecursionError as problem:
        raise InvalidRequest("the body is nested too deeply") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"the body does not fit: {problem}") from problem


def problem(error: PspError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the one shape of every error (RFC 9457), with a stable code."""
    document = {
        "type": f"urn:psp-sim:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "code": error.code,
        "definite": error.definite,
    }
    if error.retry_after_s is not None:
        headers = {**(headers or {}), "retry-after": str(error.retry_after_s)}
    return JSONResponse(document, error.status, headers, "application/problem+json")


def page_of(request: Request) -> tuple[int, int]:
    """Return the cursor and the size of the page that is asked for. Raises InvalidRequest."""
    return cursor_of(request.query_params.get("after") or "0"), limit_of(request)


def cursor_of(after: str) -> int:
    """Return the position that a cursor stands for. Raises InvalidRequest."""
    if not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise InvalidRequest(f"after={after!r} is not a cursor: use the value of next as it came")
    return int(after)


def limit_of(request: Request) -> int:
    """Return the size of the page that is asked for. Raises InvalidRequest."""
    limit = request.query_params.get("limit", str(PAGE_DEFAULT))
    is_number = limit.isascii() and limit.isdecimal() and len(limit) < 10
    if not (is_number and 1 <= int(limit) <= PAGE_MAX):
        raise InvalidRequest(f"limit={limit!r} is not a whole number from 1 to {PAGE_MAX}")
    return int(limit)


def page(rows: list[tuple[int, Any]], limit: int) -> dict[str, Any]:
    """Return a list answer from up to ``limit + 1`` rows with their positions."""
    shown = rows[:limit]
    following = str(shown[-1][0]) if len(rows) > limit else None
    return {"data": [row for _, row in shown], "next": following}
