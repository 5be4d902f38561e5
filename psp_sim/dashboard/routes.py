"""``/_dashboard``: a page without a build step, and the JSON that it is drawn from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from psp_sim.dashboard import views
from psp_sim.domain.errors import InvalidRequest, NotFound, PspError
from psp_sim.domain.event import EVENT_TYPES
from psp_sim.domain.faults import CHANCE_FIELDS, OPERATIONS, SELECTORS_ON, VOCABULARY, FaultKind
from psp_sim.http_control import install_faults, lift_faults, render_fault
from psp_sim.http_guard import guard
from psp_sim.http_nul import refuse_nul_in_target
from psp_sim.http_operation import problem
from psp_sim.http_route import route_to_function
from psp_sim.manage_endpoints import redeliver_event
from psp_sim.provider import Provider
from sqlport import Transaction

Handler = Callable[[Provider, Request], Awaitable[Response]]
List = Callable[[Transaction, str, int], Awaitable[list[dict[str, Any]]]]

NEWEST = 2**62
FILTER_CHARACTERS_MAX = 200
SURFACE = "the dashboard"

_CHOICES = {
    "event": EVENT_TYPES,
    "operation": OPERATIONS,
    "examples": {
        "attempt": "1 or 1..3",
        "order": "1, or a reference",
        "probability": "0 to 1",
        "times": "at most",
        "by": "30s",
        "for": "60s",
        "window": "60s",
        "spacing": "0s",
        "copies": "2",
        "status": "503",
    },
}
_FILES = {
    "/_dashboard": ("page.html", "text/html"),
    "/_dashboard/dashboard.css": ("dashboard.css", "text/css"),
    "/_dashboard/dashboard.js": ("dashboard.js", "text/javascript"),
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def dashboard_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of the dashboard."""
    lists: Mapping[str, List] = {
        "payments": views.payments,
        "events": views.events,
        "deliveries": views.deliveries,
        "endpoints": views.endpoints,
    }
    faults = "/_dashboard/faults"
    return [
        *(_route(provider, path, "GET", _file(*file)) for path, file in _FILES.items()),
        _route(provider, "/_dashboard/changes", "GET", _changes),
        *(
            _route(provider, f"/_dashboard/{name}", "GET", _list(read))
            for name, read in lists.items()
        ),
        _route(provider, "/_dashboard/payments/{payment_id}", "GET", _payment),
        _route(provider, "/_dashboard/deliveries/{delivery_id}", "GET", _delivery),
        _route(provider, "/_dashboard/deliveries/{delivery_id}/redeliver", "POST", _redeliver),
        _route(provider, faults, "GET", _faults),
        _route(provider, faults, "POST", install_faults),
        _route(provider, faults, "DELETE", lift_faults),
        _route(provider, f"{faults}/{{fault_id}}", "DELETE", lift_faults),
    ]


def _route(provider: Provider, path: str, method: str, handle: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        token = provider.settings.admin_token
        try:
            # A browser cannot send a token with the page itself, which holds no data.
            if not (token and path in _FILES):
                guard(token, request, SURFACE)
            refuse_nul_in_target(request.scope)
            response = await handle(provider, request)
        except PspError as error:
            response = problem(error)
        response.headers.update(_HEADERS)
        return response

    return route_to_function(path, endpoint, method)


@cache
def _read(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()


def _file(name: str, media_type: str) -> Handler:
    async def handle(_: Provider, __: Request) -> Response:
        return Response(_read(name), media_type=media_type)

    return handle


def _list(read: List) -> Handler:
    async def handle(provider: Provider, request: Request) -> Response:
        wanted, before = _filter_of(request)
        async with provider.database.transaction() as transaction:
            rows = await read(transaction, wanted, before)
        following = rows[-1]["position"] if len(rows) == views.PAGE else None
        return JSONResponse({"data": rows, "next": following})

    return handle


def _filter_of(request: Request) -> tuple[str, int]:
    wanted = request.query_params.get("filter", "")
    before = request.query_params.get("before") or str(NEWEST)
    if len(wanted) > FILTER_CHARACTERS_MAX:
        raise InvalidRequest(f"filter is longer than {FILTER_CHARACTERS_MAX} characters")
    if not (before.isascii() and before.isdecimal() and len(before) < 20):
        raise InvalidRequest(f"before={before!r} is not a position")
    return wanted, min(int(before), NEWEST)


async def _changes(provider: Provider, request: Request) -> Response:
    """Answer with a cursor that changes when anything does; then with the numbers to show, too."""
    in_force = provider.faults.installed()
    fired = sum(provider.faults.fired_by_kind.values())
    async with provider.database.transaction() as transaction:
        seen = await views.change_cursor(transaction)
        cursor = ".".join((seen, str(fired), *(fault.id for fault in in_force)))
        if cursor == request.query_params.get("cursor"):
            return JSONResponse({"cursor": cursor})
        counted = await views.counts(transaction)
    faults = {"installed": len(in_force), "fired": fired}
    return JSONResponse({"cursor": cursor, **counted, "faults": faults})


async def _payment(provider: Provider, request: Request) -> Response:
    payment_id = request.path_params["payment_id"]
    async with provider.database.transaction() as transaction:
        found = await views.payment(transaction, payment_id)
    if found is None:
        raise NotFound(f"there is no payment {payment_id}")
    return JSONResponse(found)


async def _delivery(provider: Provider, request: Request) -> Response:
    delivery_id = request.path_params["delivery_id"]
    async with provider.database.transaction() as transaction:
        found = await views.delivery(transaction, delivery_id)
    if found is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    return JSONResponse(found)


async def _redeliver(provider: Provider, request: Request) -> Response:
    delivery_id = request.path_params["delivery_id"]
    return JSONResponse(await redeliver_event(provider, delivery_id))


async def _faults(provider: Provider, _: Request) -> Response:
    """Answer with the vocabulary, from which the form is made, and the faults in force."""
    return JSONResponse(
        {
            "data": [render_fault(installed) for installed in provider.faults.installed()],
            "fired": dict(provider.faults.fired_by_kind),
            "vocabulary": [_render_kind(kind) for kind in VOCABULARY.values()],
            "choices": _CHOICES,
        }
    )


def _render_kind(kind: FaultKind) -> dict[str, Any]:
    chance = () if kind.on == "provider" else CHANCE_FIELDS
    return {
        "name": kind.name,
        "on": kind.on,
        "sees": kind.sees,
        "fields": list(kind.fields),
        "selectors": [*SELECTORS_ON[kind.on], *chance],
    }
