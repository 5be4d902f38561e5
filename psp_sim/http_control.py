"""``/_control``: put faults in force, list them with how often each fired, lift them.

And look ahead: what is still to come of the payments, which no client is shown.

It answers during an outage too, since it is the harness's way in and no part of the provider.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from psp_sim.domain.errors import InvalidFault, PspError
from psp_sim.domain.event import iso_timestamp
from psp_sim.domain.payment import Payment
from psp_sim.domain.presets import expand_preset
from psp_sim.fault_book import InstalledFault
from psp_sim.http_guard import guard
from psp_sim.http_nul import refuse_nul_in_target
from psp_sim.http_operation import decode, problem, read_body
from psp_sim.http_route import route_to_function
from psp_sim.provider import Provider
from psp_sim.store import payments_with_plans

# Whoever asks wants to know what a few payments have before them, not to page through thousands.
AGENDA_PAYMENTS_MAX = 10_000

Handler = Callable[[Provider, Request], Awaitable[Response]]


def control_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of the control API."""
    return [
        _route(provider, "/_control/faults", "GET", _list),
        _route(provider, "/_control/faults", "POST", install_faults),
        _route(provider, "/_control/faults", "DELETE", lift_faults),
        _route(provider, "/_control/faults/{fault_id}", "DELETE", lift_faults),
        _route(provider, "/_control/agenda", "GET", _agenda),
    ]


def _route(provider: Provider, path: str, method: str, handle: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            guard(provider.settings.admin_token, request, "the control API")
            refuse_nul_in_target(request.scope)
            return await handle(provider, request)
        except PspError as error:
            return problem(error)

    return route_to_function(path, endpoint, method)


async def _list(provider: Provider, _: Request) -> Response:
    await _look_at_others(provider)
    faults = [render_fault(installed) for installed in provider.faults.installed()]
    return JSONResponse({"data": faults, "fired": dict(provider.faults.fired_by_kind)})


async def _agenda(provider: Provider, _: Request) -> Response:
    async with provider.database.transaction() as transaction:
        payments = await payments_with_plans(transaction, AGENDA_PAYMENTS_MAX)
    return JSONResponse({"data": [each for payment in payments for each in _plans(payment)]})


def _plans(payment: Payment) -> list[dict[str, Any]]:
    created = iso_timestamp(payment.created_at)
    return [
        {
            "payment": payment.id,
            "created": created,
            "step": due.step.value,
            "at": iso_timestamp(due.at),
        }
        for due in payment.agenda
    ]


async def install_faults(provider: Provider, request: Request) -> Response:
    """Install one fault, or each of a list of them; ``{"preset": NAME}`` stands for several."""
    body = await read_body(request, provider.settings.body_bytes_max)
    given = decode(body, object)
    documents: list[Any] = given if isinstance(given, list) else [given]
    if not all(isinstance(document, dict) for document in documents):
        raise InvalidFault('a fault is an object like {"kind": "drop", "attempt": 1}')
    now = provider.clock.now()
    installed = await provider.faults.install_all(
        [
            (provider.new_id("flt"), fault)
            for document in documents
            for fault in expand_preset(document)
        ],
        now,
    )
    provider.faults_changed.ring()
    rendered: list[Any] = [render_fault(fault) for fault in installed]
    return JSONResponse({"data": rendered}, 201)


async def lift_faults(provider: Provider, request: Request) -> Response:
    """Lift a fault and let go of what it holds back; webhooks already late stay late."""
    await _look_at_others(provider)
    lifted = await provider.faults.lift(request.path_params.get("fault_id"))
    provider.faults_changed.ring()
    provider.delivery_due.ring()
    provider.delivery_changed.ring()
    return JSONResponse({"lifted": lifted})


async def _look_at_others(provider: Provider) -> None:
    """Take in what other processes have done, before anybody is told what is in force."""
    if provider.database.others is not None:
        await provider.faults.refresh()


def render_fault(installed: InstalledFault) -> dict[str, Any]:
    return {
        "id": installed.id,
        "object": "fault",
        **installed.document,
        "fired": installed.fired,
        "installed": iso_timestamp(installed.installed_at),
    }
