"""/healthz, /metrics, /tracking and /dead_letters: how the payment service is doing."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shop import event_store
from shop.domain.errors import DatabaseUnavailable, DeadLetterNotFound
from shop.domain.inbox import DeadLetter
from shop.domain.measurements import prometheus_text
from shop.domain.peer_address import networks_in
from shop.http_support import json_response, limit_in, require_admin
from shop.order_view import moment
from shop.ports import Shop
from sqlport import soon

HEALTH_WAIT_S = 2.0
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_OF_THE_DATABASE = "in the database: every process shows the same (max)"


def operation_routes(shop: Shop) -> list[Route]:
    """The routes of whoever runs the shop."""

    async def read_health(_request: Request) -> Response:
        dead = await _dead_letters_soon(shop)
        if shop.database.trouble is not None:
            # It can be read all the same, so nothing else would show it.
            raise DatabaseUnavailable("the shop could not store something in the last seconds")
        health: dict[str, Any] = {
            "status": "ok",
            "role": shop.settings.role,
            "dead_letters": dead,
        }
        if shop.settings.uses_webhooks and shop.settings.works:
            health["webhook_endpoint"] = _endpoint(shop)
        return json_response(health)

    async def read_metrics(_request: Request) -> Response:
        async with shop.database.transaction() as transaction:
            dead = await event_store.count_dead_letters(transaction)
            waiting = await event_store.count_waiting(transaction)
        gauges = {
            "dead_letters": (f"events set aside, {_OF_THE_DATABASE}", float(dead)),
            "inbox_waiting": (
                f"events taken and not processed yet, {_OF_THE_DATABASE}",
                float(waiting),
            ),
        }
        if shop.settings.works:
            gauges["webhook_endpoint_ok"] = (
                "whether our endpoint at the provider was as it should be at the last look of this "
                "process (min)",
                float(shop.endpoint_health.state == "ok"),
            )
        return Response(prometheus_text(shop.measured, gauges), media_type=_PROMETHEUS)

    async def read_tracking(_request: Request) -> Response:
        return json_response({"tracking": shop.settings.tracking, **shop.measured.as_json()})

    return [
        Route("/healthz", read_health, methods=["GET"]),
        Route("/metrics", read_metrics, methods=["GET"]),
        Route("/tracking", read_tracking, methods=["GET"]),
        *_dead_letter_routes(shop),
    ]


async def _dead_letters_soon(shop: Shop) -> int:
    """Whoever asks for a health gives up after a few seconds. Raises DatabaseUnavailable."""
    try:
        return await soon(_count_dead_letters(shop), HEALTH_WAIT_S)
    except TimeoutError:
        raise DatabaseUnavailable(
            f"the shop's database gave no answer within {HEALTH_WAIT_S:g} s"
        ) from None


async def _count_dead_letters(shop: Shop) -> int:
    async with shop.database.transaction() as transaction:
        return await event_store.count_dead_letters(transaction)


def _dead_letter_routes(shop: Shop) -> list[Route]:
    """Webhooks name customers' orders, so these answer on this machine and its network only."""
    trusted = networks_in(shop.settings.trusted_proxies)

    async def list_dead_letters(request: Request) -> Response:
        require_admin(request, trusted)
        limit = limit_in(request)
        after = request.query_params.get("after")
        async with shop.database.transaction() as transaction:
            found = await event_store.list_dead_letters(transaction, after, limit + 1)
        page = found[:limit]
        return json_response(
            {
                "data": [_dead_letter(one) for one in page],
                "next": page[-1].event_id if len(found) > limit else None,
            }
        )

    async def retry_dead_letter(request: Request) -> Response:
        require_admin(request, trusted)
        event_id = request.path_params["event_id"]
        async with shop.database.transaction() as transaction:
            now = shop.clock.now()
            found = await event_store.retry_dead_letters(transaction, event_id, now)
        if not found:
            raise DeadLetterNotFound(f"no event {event_id!r} is set aside: GET /dead_letters lists")
        shop.wake.inbox.set()
        return json_response({"event_id": event_id, "status": "pending"})

    return [
        Route("/dead_letters", list_dead_letters, methods=["GET"]),
        Route("/dead_letters/{event_id}/retry", retry_dead_letter, methods=["POST"]),
    ]


def _endpoint(shop: Shop) -> dict[str, Any]:
    health = shop.endpoint_health
    return {
        "state": health.state,
        "last_problem": health.problem,
        "last_repair": health.repair,
        "repaired": None if health.repaired_at is None else moment(health.repaired_at),
        "checked": None if health.checked_at is None else moment(health.checked_at),
    }


def _dead_letter(one: DeadLetter) -> dict[str, Any]:
    return {
        "event_id": one.event_id,
        "reason": one.reason,
        "attempts": one.attempts,
        "source": one.source,
        "received": moment(one.received_at),
        "body": one.body,
    }
