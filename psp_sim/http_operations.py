"""``/healthz`` and ``/metrics``: whether the provider works, and how much it has done."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from psp_sim.count_store import RowCount, count_by, events_by_type, rows_in
from psp_sim.domain.delivery import DeliveryState
from psp_sim.domain.payment import Status
from psp_sim.metrics import (
    CONTENT_TYPE,
    OF_THE_DATABASE,
    OF_THIS_PROCESS,
    Samples,
    family,
    latency_histogram,
)
from psp_sim.outbox import backlog
from psp_sim.provider import Provider
from sqlport import DatabaseUnwritable, Transaction, soon

# Whoever asks for a health gives up after a few seconds, and would not learn what is wrong.
HEALTH_WAIT_S = 2.0

# Each with the column that tells its rows apart, and the value that most of them come to have.
_COUNTED = {
    "payments": ("status", Status.SUCCEEDED),
    "deliveries": ("state", DeliveryState.DELIVERED),
}


def operations_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes for whoever operates the provider."""

    async def healthz(_: Request) -> Response:
        return await _health(provider)

    async def metrics(_: Request) -> Response:
        async with provider.database.transaction() as transaction:
            events = await events_by_type(transaction, provider.metrics.events)
            rows = {table: await _rows(provider, transaction, table) for table in _COUNTED}
            text = await _stored(provider, transaction, events.by_type, rows)
        # Only now: what was counted may be taken back for as long as it is not stored.
        provider.metrics.events, provider.metrics.rows = events, rows
        return Response(text + _counted(provider), media_type=CONTENT_TYPE)

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


async def _health(provider: Provider) -> Response:
    """Answer 503 when the database or a worker does not do its part."""
    waiting, oldest_age_s, database = 0, 0.0, "ok"
    try:
        waiting, oldest_age_s = await soon(_backlog(provider), HEALTH_WAIT_S)
    except TimeoutError:
        database = f"no answer within {HEALTH_WAIT_S:g} s"
    except Exception as problem:  # whatever it is, the answer is that it does not work
        database = type(problem).__name__
    if database == "ok" and provider.database.trouble is not None:
        # It can be read all the same.
        database = DatabaseUnwritable.__name__
    is_well = database == "ok" and all(provider.workers.values())
    document = {
        "status": "ok" if is_well else "failing",
        "database": database,
        "workers": {name: "alive" if it else "dead" for name, it in provider.workers.items()},
        "backlog": {"deliveries": waiting, "oldest_due_age_s": round(oldest_age_s, 3)},
    }
    return JSONResponse(document, 200 if is_well else 503)


async def _backlog(provider: Provider) -> tuple[int, float]:
    async with provider.database.transaction() as transaction:
        return await backlog(transaction, provider.clock.now())


async def _rows(provider: Provider, transaction: Transaction, table: str) -> RowCount:
    return await rows_in(transaction, table, provider.metrics.rows.get(table, RowCount()))


async def _stored(
    provider: Provider, transaction: Transaction, events: dict[str, int], rows: dict[str, RowCount]
) -> str:
    payments, deliveries = [
        await count_by(transaction, table, column, usual, rows[table].number)
        for table, (column, usual) in _COUNTED.items()
    ]
    waiting, oldest_age_s = await backlog(transaction, provider.clock.now())
    return "".join(
        (
            family(
                "psp_payments",
                "gauge",
                f"Payments by status, {OF_THE_DATABASE}",
                _by("status", payments),
            ),
            family(
                "psp_events_total",
                "counter",
                f"Events by type, {OF_THE_DATABASE}",
                _by("type", events),
            ),
            family(
                "psp_deliveries",
                "gauge",
                f"Deliveries by state, {OF_THE_DATABASE}",
                _by("state", deliveries),
            ),
            family(
                "psp_backlog_deliveries",
                "gauge",
                f"Deliveries not over, {OF_THE_DATABASE}",
                [({}, waiting)],
            ),
            family(
                "psp_backlog_oldest_due_age_seconds",
                "gauge",
                f"How long the delivery that is due longest has been due, {OF_THE_DATABASE}",
                [({}, oldest_age_s)],
            ),
        )
    )


def _counted(provider: Provider) -> str:
    counted = provider.metrics
    requests = [
        ({"operation": operation, "status": str(status)}, float(number))
        for (operation, status), number in sorted(counted.requests.items())
    ]
    fired = dict(provider.faults.fired_by_kind)
    return "".join(
        (
            family(
                "psp_requests_total",
                "counter",
                f"Answered calls of the API, {OF_THIS_PROCESS}",
                requests,
            ),
            family(
                "psp_attempts_total",
                "counter",
                f"Calls to endpoints by outcome, {OF_THIS_PROCESS}",
                _by("outcome", counted.attempts),
            ),
            latency_histogram(counted),
            family(
                "psp_faults_fired_total",
                "counter",
                f"Faults that acted, by kind, {OF_THE_DATABASE}",
                _by("kind", fired),
            ),
        )
    )


def _by(label: str, numbers: dict[str, int]) -> Samples:
    return [({label: name}, float(number)) for name, number in sorted(numbers.items())]
