"""Every statement that the provider runs on webhook endpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from psp_sim.domain.endpoint import Endpoint, PreviousSecret, is_wanted
from psp_sim.domain.retry_schedule import parse_schedule
from sqlport import FOR_UPDATE, Row, Transaction, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS webhook_endpoints (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, url TEXT NOT NULL, secret TEXT NOT NULL,
    previous_secret TEXT, previous_secret_until DOUBLE PRECISION, events TEXT NOT NULL,
    status TEXT NOT NULL, created_at DOUBLE PRECISION NOT NULL, dialect TEXT NOT NULL,
    retry_schedule TEXT, disabled_reason TEXT, failures INTEGER NOT NULL,
    failing_since DOUBLE PRECISION
);
"""

# Secrets before the previous one, as JSON: [[secret, until], ...], newest first.
SEVERAL_PREVIOUS_SECRETS = """
ALTER TABLE webhook_endpoints ADD COLUMN older_secrets TEXT NOT NULL DEFAULT '[]';
"""

_ENDPOINT = (
    "position, id, url, secret, previous_secret, previous_secret_until, events, status, "
    "created_at, dialect, retry_schedule, disabled_reason, failures, failing_since, older_secrets"
)

_COLUMNS = tuple(_ENDPOINT.split(", ")[1:])


async def save_endpoint(transaction: Transaction, endpoint: Endpoint) -> None:
    """Store an endpoint, new or changed."""
    schedule = endpoint.retry_schedule
    newest = endpoint.previous[0] if endpoint.previous else None
    older = [(one.secret, one.until) for one in endpoint.previous[1:]]
    await transaction.execute(
        f"INSERT INTO webhook_endpoints ({_ENDPOINT.removeprefix('position, ')}) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
        "SET url = excluded.url, secret = excluded.secret, "
        "previous_secret = excluded.previous_secret, "
        "previous_secret_until = excluded.previous_secret_until, events = excluded.events, "
        "status = excluded.status, retry_schedule = excluded.retry_schedule, "
        "disabled_reason = excluded.disabled_reason, failures = excluded.failures, "
        "failing_since = excluded.failing_since, older_secrets = excluded.older_secrets",
        endpoint.id,
        endpoint.url,
        endpoint.secret,
        newest.secret if newest else None,
        newest.until if newest else None,
        json.dumps(endpoint.events),
        endpoint.status,
        endpoint.created_at,
        endpoint.dialect,
        json.dumps(schedule.as_document()) if schedule else None,
        endpoint.disabled_reason,
        endpoint.failures,
        endpoint.failing_since,
        json.dumps(older),
    )


async def clear_failures(transaction: Transaction, endpoint_id: str) -> None:
    """Forget an endpoint's failures: one success is enough."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET failures = 0, failing_since = NULL "
        "WHERE id = ? AND failures > 0",
        endpoint_id,
    )


async def count_failure(transaction: Transaction, endpoint_id: str, now: float) -> Endpoint | None:
    """Count a failed attempt; return the endpoint as it is then, or None if it is gone."""
    await transaction.execute(
        "UPDATE webhook_endpoints SET failures = failures + 1, "
        "failing_since = COALESCE(failing_since, ?) WHERE id = ?",
        now,
        endpoint_id,
    )
    return await endpoint_by_id(transaction, endpoint_id)


async def endpoint_by_id(transaction: Transaction, endpoint_id: str) -> Endpoint | None:
    """Return one endpoint, or None."""
    row = await transaction.fetch_one(
        f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE id = ?", endpoint_id
    )
    return _endpoint(row) if row else None


async def endpoint_by_url(transaction: Transaction, url: str) -> Endpoint | None:
    """Return the first endpoint with this URL, or None."""
    row = await transaction.fetch_one(
        f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE url = ? ORDER BY position LIMIT 1", url
    )
    return _endpoint(row) if row else None


async def endpoint_to_change(transaction: Transaction, endpoint_id: str) -> Endpoint | None:
    """Return one endpoint, or None; nobody else changes it until the transaction is over."""
    row = await transaction.fetch_one(
        f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE id = ? {FOR_UPDATE}", endpoint_id
    )
    return _endpoint(row) if row else None


async def ids_of_interested(transaction: Transaction, event_type: str) -> list[str]:
    """Return the ids of the enabled endpoints that want events of this type, oldest first."""
    rows = await transaction.fetch_all(
        "SELECT id, events FROM webhook_endpoints WHERE status = 'enabled' ORDER BY position"
    )
    return [row["id"] for row in rows if _want(row["events"], event_type)]


@lru_cache(maxsize=1024)
def _want(events: str, event_type: str) -> bool:
    return is_wanted(event_type, json.loads(events))


async def list_endpoints(
    transaction: Transaction, after: int, limit: int
) -> list[tuple[int, Endpoint]]:
    """Return endpoints with their positions, oldest first."""
    rows = await transaction.fetch_all(
        f"SELECT {_ENDPOINT} FROM webhook_endpoints WHERE position > ? ORDER BY position LIMIT ?",
        after,
        limit,
    )
    return [(row["position"], _endpoint(row)) for row in rows]


async def delete_endpoint(transaction: Transaction, endpoint_id: str) -> bool:
    """Forget an endpoint; tell whether there was one."""
    return bool(
        await transaction.execute("DELETE FROM webhook_endpoints WHERE id = ?", endpoint_id)
    )


def _endpoint(row: Row) -> Endpoint:
    """Read a row, or know it: endpoints are asked for with every event and rarely change."""
    return _read(*(row[column] for column in _COLUMNS))


@lru_cache(maxsize=256)
def _read(*values: Value) -> Endpoint:
    row: dict[str, Any] = dict(zip(_COLUMNS, values, strict=True))
    schedule = row["retry_schedule"]
    return Endpoint(
        id=row["id"],
        url=row["url"],
        secret=row["secret"],
        events=tuple(json.loads(row["events"])),
        status=row["status"],
        created_at=row["created_at"],
        dialect=row["dialect"],
        retry_schedule=parse_schedule(json.loads(schedule)) if schedule else None,
        disabled_reason=row["disabled_reason"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        previous=tuple(_previous(row)),
    )


def _previous(row: dict[str, Any]) -> Iterator[PreviousSecret]:
    if row["previous_secret"] is not None:
        yield PreviousSecret(row["previous_secret"], row["previous_secret_until"])
    for secret, until in json.loads(row["older_secrets"]):
        yield PreviousSecret(secret, until)
