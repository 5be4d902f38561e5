"""``/v1/webhook_endpoints``: where events are sent, and what became of each delivery."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from psp_sim.delivery_records import list_deliveries
from psp_sim.domain.dialects import DIALECTS, STANDARD
from psp_sim.domain.endpoint import URL_CHARACTERS_MAX, Endpoint
from psp_sim.domain.errors import InvalidRequest
from psp_sim.domain.event_filter import EVENTS_MAX, LISTENED_TO
from psp_sim.domain.idempotency import Answer, parse_key
from psp_sim.domain.retry_schedule import SCHEDULES
from psp_sim.endpoint_store import list_endpoints, save_endpoint
from psp_sim.http_once import once
from psp_sim.http_operation import decode, operation, page, page_of
from psp_sim.manage_endpoints import (
    EndpointRequest,
    change_endpoint,
    enable_endpoint,
    find_endpoint,
    new_endpoint,
    recover_events,
    redeliver_event,
    remove_endpoint,
    render_endpoint,
    rotate_secret,
)
from psp_sim.provider import Provider
from psp_sim.store import stored_answer
from psp_sim.verify_endpoint import send_test, verify_endpoint
from sqlport import Transaction

OVERLAP_S_MAX = 30 * 86400.0

# Checked by the domain, which has better words for what is wrong; described here.
_URL = {"type": "string", "format": "uri", "maxLength": URL_CHARACTERS_MAX}
_DIALECT = {"enum": list(DIALECTS)}
_RETRY_SCHEDULE = {
    "anyOf": [
        {"type": "string", "enum": list(SCHEDULES)},
        {"type": "string", "description": "delays", "pattern": "^[0-9]+(ms|s|m|h|d)(,|$)"},
        {"type": "array", "items": {"type": ["string", "number"]}},
        {"type": "object", "required": ["delays"]},
        {"type": "null"},
    ],
    "examples": ["standard", "5s,1m,10m"],
}
_EVENT = {"enum": list(LISTENED_TO)}
_EVENTS = {"minItems": 1, "maxItems": EVENTS_MAX}
_OVERLAP = {"minimum": 0, "maximum": OVERLAP_S_MAX}
Url = Annotated[Any, msgspec.Meta(description="Where webhooks are sent", extra_json_schema=_URL)]
Dialect = Annotated[
    str, msgspec.Meta(description="Whose signatures and bodies", extra_json_schema=_DIALECT)
]
Schedule = Annotated[
    Any,
    msgspec.Meta(
        description="A schedule by name, or delays; null for the provider's own",
        extra_json_schema=_RETRY_SCHEDULE,
    ),
]
Events = Annotated[
    list[Annotated[str, msgspec.Meta(extra_json_schema=_EVENT)]],
    msgspec.Meta(description="Types, families like refund.*, or *", extra_json_schema=_EVENTS),
]
Overlap = Annotated[
    float | None,
    msgspec.Meta(description="Seconds that the secret so far signs on", extra_json_schema=_OVERLAP),
]


class CreateEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/webhook_endpoints``."""

    url: Url
    events: Events = msgspec.field(default_factory=lambda: ["*"])
    dialect: Dialect = STANDARD
    retry_schedule: Schedule = None
    verify: bool = False
    secret: str | None = None


class ChangeEndpoint(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body of ``PATCH /v1/webhook_endpoints/{id}``: what is left out stays as it is."""

    url: Url = msgspec.UNSET
    events: Events | msgspec.UnsetType = msgspec.UNSET
    retry_schedule: Schedule = msgspec.UNSET


class Recover(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/webhook_endpoints/{id}/recover``: a time or an event's id."""

    since: str


class RotateSecret(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /v1/webhook_endpoints/{id}/rotate_secret``; it may be empty."""

    overlap_s: Overlap = None


def endpoint_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of webhook endpoints."""
    one = "/v1/webhook_endpoints/{endpoint_id}"
    return [
        operation(provider, "/v1/webhook_endpoints", "POST", "create_endpoint", _create),
        operation(provider, "/v1/webhook_endpoints", "GET", "list_endpoints", _list),
        operation(provider, one, "GET", "read_endpoint", _read),
        operation(provider, one, "DELETE", "delete_endpoint", _delete),
        operation(provider, f"{one}/rotate_secret", "POST", "rotate_secret", _rotate),
        operation(provider, f"{one}/deliveries", "GET", "list_deliveries", _deliveries),
        operation(provider, one, "PATCH", "update_endpoint", _update),
        operation(provider, f"{one}/enable", "POST", "enable_endpoint", _enable),
        operation(provider, f"{one}/test", "POST", "test_endpoint", _test),
        operation(provider, f"{one}/recover", "POST", "recover_endpoint", _recover),
        operation(
            provider, "/v1/deliveries/{delivery_id}/redeliver", "POST", "redeliver", _redeliver
        ),
    ]


async def _create(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body, CreateEndpoint)
    wanted = EndpointRequest(
        document.url,
        document.events,
        document.dialect,
        document.retry_schedule,
        document.secret,
    )
    verified: list[Endpoint] = []
    if document.verify and not await _was_answered(provider, request):
        # Nothing else may wait inside a transaction, so it is tried before it is stored.
        verified.append(new_endpoint(provider, wanted))
        await verify_endpoint(provider, verified[0])

    async def create(transaction: Transaction) -> Answer:
        endpoint = verified[0] if verified else new_endpoint(provider, wanted)
        await save_endpoint(transaction, endpoint)
        return Answer(201, json.dumps(render_endpoint(endpoint, with_secret=True)))

    return await _once(provider, request, document, create)


async def _was_answered(provider: Provider, request: Request) -> bool:
    """Tell whether an answer is stored for the request's key: a repeat tries nothing again."""
    key = _key(request)
    if key is None:
        return False
    async with provider.database.transaction() as transaction:
        return await stored_answer(transaction, key, provider.keys_live_since()) is not None


def _key(request: Request) -> str | None:
    """Return under what the answer is stored, None for a request without a key."""
    header = request.headers.get("idempotency-key")
    # Keys of payments are stored as ``payment:…``, so that neither can replay the other.
    return None if header is None else f"endpoint:{parse_key(header)}"


async def _once(
    provider: Provider,
    request: Request,
    document: msgspec.Struct,
    work: Callable[[Transaction], Awaitable[Answer]],
) -> Response:
    """Do the work; with a key, a retry after a lost answer gets the same secret again."""
    return await once(provider, request, document, work, scope="endpoint", needs_key=False)


async def _list(provider: Provider, request: Request, _: bytes) -> Response:
    after, limit = page_of(request)
    async with provider.database.transaction() as transaction:
        endpoints = await list_endpoints(transaction, after, limit + 1)
    rows = [(position, render_endpoint(endpoint)) for position, endpoint in endpoints]
    return JSONResponse(page(rows, limit))


async def _read(provider: Provider, request: Request, _: bytes) -> Response:
    async with provider.database.transaction() as transaction:
        endpoint = await find_endpoint(transaction, request.path_params["endpoint_id"])
    return JSONResponse(render_endpoint(endpoint))


async def _delete(provider: Provider, request: Request, _: bytes) -> Response:
    endpoint_id = request.path_params["endpoint_id"]
    await remove_endpoint(provider, endpoint_id)
    return JSONResponse({"id": endpoint_id, "object": "webhook_endpoint", "deleted": True})


async def _update(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body, ChangeEndpoint)
    changes = {
        name: value
        for name in document.__struct_fields__
        if (value := getattr(document, name)) is not msgspec.UNSET
    }
    if not changes:
        raise InvalidRequest("name what is to change: url, events or retry_schedule")
    endpoint = await change_endpoint(provider, request.path_params["endpoint_id"], changes)
    return JSONResponse(render_endpoint(endpoint))


async def _enable(provider: Provider, request: Request, _: bytes) -> Response:
    endpoint = await enable_endpoint(provider, request.path_params["endpoint_id"])
    return JSONResponse(render_endpoint(endpoint))


async def _test(provider: Provider, request: Request, _: bytes) -> Response:
    async with provider.database.transaction() as transaction:
        endpoint = await find_endpoint(transaction, request.path_params["endpoint_id"])
    answer = await send_test(provider, endpoint)
    return JSONResponse(
        {"delivered": answer.is_success, "status": answer.status, "error": answer.error}
    )


async def _recover(provider: Provider, request: Request, body: bytes) -> Response:
    since = decode(body, Recover).since
    recovered = await recover_events(provider, request.path_params["endpoint_id"], since)
    return JSONResponse({"recovered": recovered})


async def _redeliver(provider: Provider, request: Request, _: bytes) -> Response:
    return JSONResponse(await redeliver_event(provider, request.path_params["delivery_id"]))


async def _rotate(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body or b"{}", RotateSecret)
    if document.overlap_s is not None and not 0 <= document.overlap_s <= OVERLAP_S_MAX:
        raise InvalidRequest(f"overlap_s must be from 0 to {OVERLAP_S_MAX:g} seconds")

    async def rotate(transaction: Transaction) -> Answer:
        endpoint_id = request.path_params["endpoint_id"]
        endpoint = await rotate_secret(provider, transaction, endpoint_id, document.overlap_s)
        return Answer(200, json.dumps(render_endpoint(endpoint, with_secret=True)))

    return await _once(provider, request, document, rotate)


async def _deliveries(provider: Provider, request: Request, _: bytes) -> Response:
    endpoint_id = request.path_params["endpoint_id"]
    after, limit = page_of(request)
    async with provider.database.transaction() as transaction:
        await find_endpoint(transaction, endpoint_id)
        rows = await list_deliveries(transaction, endpoint_id, after, limit + 1)
    return JSONResponse(page(rows, limit))
