"""``/v1/events``: the log of everything that happened, in order, read by page or waited for."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from psp_sim.domain.errors import InvalidRequest, NotFound
from psp_sim.domain.event_filter import check_type
from psp_sim.event_store import event_position, last_event_position
from psp_sim.http_operation import cursor_of, limit_of, operation, page
from psp_sim.http_query import wait_of
from psp_sim.http_stream import EventStream
from psp_sim.long_poll import look_until
from psp_sim.provider import Provider
from psp_sim.store import event_body, list_events
from sqlport import Transaction


def event_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of events. The stream stands before the events that have an id."""
    return [
        operation(provider, "/v1/events", "GET", "list_events", _list),
        operation(provider, "/v1/events/stream", "GET", "stream_events", _stream),
        operation(provider, "/v1/events/{event_id}", "GET", "read_event", _read),
    ]


async def _list(provider: Provider, request: Request, _: bytes) -> Response:
    limit, wait_s = limit_of(request), wait_of(request)
    payment_id = request.query_params.get("payment")
    kind = check_type(request.query_params.get("type"))
    async with provider.database.transaction() as transaction:
        after = await _position(transaction, request.query_params.get("after") or "0")
    bodies = await look_until(
        provider,
        wait_s,
        lambda transaction: list_events(transaction, after, limit + 1, payment_id, kind),
        bool,
    )
    rows = [(position, json.loads(body)) for position, body in bodies]
    return JSONResponse(page(rows, limit))


async def _stream(provider: Provider, request: Request, _: bytes) -> Response:
    """Begin after the event that the client saw last; a client that names none begins now."""
    seen = request.headers.get("last-event-id") or request.query_params.get("after")
    async with provider.database.transaction() as transaction:
        after = (
            await _position(transaction, seen) if seen else await last_event_position(transaction)
        )
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return EventStream(provider, after)


async def _read(provider: Provider, request: Request, _: bytes) -> Response:
    event_id = request.path_params["event_id"]
    async with provider.database.transaction() as transaction:
        body = await event_body(transaction, event_id)
    if body is None:
        raise NotFound(f"there is no event {event_id}")
    return Response(body, media_type="application/json")


async def _position(transaction: Transaction, after: str) -> int:
    """Return what a cursor, or the id of the event seen last, stands for."""
    if not after.startswith("evt_"):
        return cursor_of(after)
    position = await event_position(transaction, after)
    if position is None:
        raise InvalidRequest(f"after={after!r} is not an event of this provider")
    return position
