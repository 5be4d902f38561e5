"""Wiring: settings and ports in, an ASGI application out. Importing does nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from psp_sim.dashboard.routes import dashboard_routes
from psp_sim.database_away import DATABASE_AWAY, database_unavailable, tell_if_away
from psp_sim.deliver_events import deliver_events
from psp_sim.domain.chance import Chance
from psp_sim.domain.errors import MethodNotAllowed, NotFound, Unexpected
from psp_sim.domain.presets import preset_named
from psp_sim.fault_book import FaultBook
from psp_sim.follow_faults import follow_faults
from psp_sim.http_authenticate import authenticate_routes
from psp_sim.http_control import control_routes
from psp_sim.http_endpoints import endpoint_routes
from psp_sim.http_events import event_routes
from psp_sim.http_openapi import openapi_routes
from psp_sim.http_operation import BUG, NoAnswer, problem
from psp_sim.http_operations import operations_routes
from psp_sim.http_payments import payment_routes
from psp_sim.http_refunds import refund_routes
from psp_sim.http_shortcut import ShortcutApp
from psp_sim.long_poll import stop_waiting
from psp_sim.manage_endpoints import endpoint_at
from psp_sim.ports import Clock
from psp_sim.provider import Provider
from psp_sim.relay_rings import relay_rings
from psp_sim.schema import SCHEMA_STEPS
from psp_sim.settings import Settings
from psp_sim.settle_payment import settle_payments
from sqlport import Database

RESTART_WORKER_AFTER_S = 1.0


def create_app(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    random: random.Random,
    transport: httpx.AsyncBaseTransport,
) -> Starlette:
    """Put a provider together. The lifespan applies the schema and runs the workers."""
    seed = random.getrandbits(64) if settings.seed is None else settings.seed
    chance = Chance(seed)
    faults = FaultBook(database, chance)
    provider = Provider(settings, database, clock, random, transport, chance, faults)
    api: list[BaseRoute] = [
        *payment_routes(provider),
        *refund_routes(provider),
        *event_routes(provider),
        *endpoint_routes(provider),
    ]
    served: list[BaseRoute] = [
        *api,
        *openapi_routes(api),
        *authenticate_routes(provider),
        *control_routes(provider),
        *dashboard_routes(provider),
    ]
    app = ShortcutApp(
        routes=[*([] if settings.role == "delivery" else served), *operations_routes(provider)],
        exception_handlers={
            HTTPException: _http_error,
            **dict.fromkeys(DATABASE_AWAY, _database_away),
            ClientDisconnect: _client_gone,
            Exception: _unexpected,
        },
        lifespan=lambda app: _running(provider, app),
    )
    # A client that is redirected from /v1/payments/ would repeat a POST as a GET.
    app.router.redirect_slashes = False
    # Servers wait for open requests before they end the lifespan: those that wait have to know.
    app.state.endpoint = None
    app.state.stop_waiting = lambda: stop_waiting(provider)
    app.state.stop_working = lambda: None
    return app


def _workers_of(provider: Provider) -> list[Callable[[Provider], Awaitable[None]]]:
    """Return what this process works at beside its requests."""
    workers: list[Callable[[Provider], Awaitable[None]]] = []
    if provider.settings.role != "api":
        workers += [settle_payments, deliver_events]
    if provider.database.others is not None:
        workers += [relay_rings, follow_faults]
    return workers


@asynccontextmanager
async def _running(provider: Provider, app: Starlette) -> AsyncIterator[None]:
    """Prepare the store, take up what an earlier process left, and work until the end.

    An endpoint that the settings ask for is there from then on, as ``app.state.endpoint``.
    ``app.state.stop_working`` ends the work; once more, it ends what that still waits for.
    """
    await provider.database.migrate(SCHEMA_STEPS)
    configured = [*preset_named(provider.settings.preset), *provider.settings.faults]
    await provider.faults.load(configured, provider.clock.now())
    if provider.settings.webhook_url and provider.settings.role != "delivery":
        app.state.endpoint = await endpoint_at(provider, provider.settings.webhook_url)
    workers = [
        asyncio.create_task(_keep_running(provider, worker), name=worker.__name__)
        for worker in _workers_of(provider)
    ]

    def stop_working() -> None:
        for worker in workers:
            worker.cancel()

    app.state.stop_working = stop_working
    try:
        yield
    finally:
        stop_waiting(provider)
        stop_working()
        await asyncio.gather(*workers, return_exceptions=True)


async def _keep_running(provider: Provider, work: Callable[[Provider], Awaitable[None]]) -> None:
    """Start a worker again should a bug of ours, or a full disk, break it; and say so."""
    while True:
        provider.workers[work.__name__] = True
        try:
            await work(provider)
        except Exception as problem:
            provider.workers[work.__name__] = False
            if not tell_if_away(work.__name__, problem):
                report = {"message": f"{work.__name__} broke", "exception": problem}
                asyncio.get_running_loop().call_exception_handler(report)
            await asyncio.sleep(RESTART_WORKER_AFTER_S)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 405:
        allowed = ", ".join(_methods_of(request.app.routes, path))
        refusal = MethodNotAllowed(f"{path} does not take {request.method}: use {allowed}")
        return problem(refusal, {"allow": allowed})
    return problem(NotFound(f"there is nothing at {path}"))


def _methods_of(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """Return what a path takes: a 405 has to say so (RFC 9110, 15.5.6)."""
    matching = (r for r in routes if isinstance(r, Route) and r.path_regex.match(path))
    return sorted({method for route in matching for method in route.methods or ()})


async def _database_away(_: Request, error: Exception) -> Response:
    return problem(database_unavailable(error))


async def _client_gone(_: Request, __: Exception) -> Response:
    return NoAnswer()


async def _unexpected(_: Request, __: Exception) -> Response:
    return problem(Unexpected(BUG))
