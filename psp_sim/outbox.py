"""The outbox: deliveries and their attempts, stored with the events that they carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from psp_sim.domain.delivery import OPEN_STATES, DeliveryState
from psp_sim.domain.endpoint import ENABLED, Endpoint
from psp_sim.domain.endpoint_event import DISABLED_EVENT
from psp_sim.domain.event import EVENT_TYPES, Event
from psp_sim.domain.payment import OPEN_STATUSES
from psp_sim.endpoint_store import endpoint_by_id, ids_of_interested
from psp_sim.store import insert_events, insert_rows, read_metadata
from sqlport import SKIP_LOCKED, Row, Transaction, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    due_at DOUBLE PRECISION, attempts_before INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_due_by_endpoint ON deliveries (endpoint_id, due_at)
    WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_id);
CREATE TABLE IF NOT EXISTS attempts (
    position INTEGER PRIMARY KEY, delivery_id TEXT NOT NULL, number INTEGER NOT NULL,
    copy INTEGER NOT NULL, webhook_id TEXT NOT NULL, webhook_timestamp BIGINT NOT NULL,
    started_at DOUBLE PRECISION NOT NULL, finished_at DOUBLE PRECISION NOT NULL, status INTEGER,
    error TEXT, answer TEXT NOT NULL, faults TEXT NOT NULL, request_headers TEXT NOT NULL,
    request_body TEXT
);
CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (delivery_id);
"""

_SCHEDULE = (
    "INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, due_at, attempts_before)"
)
_SCHEDULE_ANEW = (
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, "
    "attempts_before = deliveries.attempts"
)
# The id follows from what it joins, so that no chance is spent on it.
_DELIVERY_ID = "'dlv_' || substr(e.id, 5) || '_' || ?"


# As plain text for what runs often: SQLite's module looks for an adapter for anything else.
_SCHEDULED, _SENDING = DeliveryState.SCHEDULED.value, DeliveryState.SENDING.value


class Job(NamedTuple):
    """A delivery to attempt now, with all that sending it takes.

    ``step`` is the place of the attempt in the schedule: a redelivery begins that anew. An event
    that is about no payment has the order number 0 and no reference. ``claim`` tells this claim
    from an earlier one, whose lease is over.
    """

    delivery_id: str
    claim: int
    endpoint: Endpoint
    attempt: int
    step: int
    event_id: str
    event_type: str
    sequence: int
    body: str
    payment_id: str
    order_number: int
    reference: str
    metadata: dict[str, str]


class Attempt(NamedTuple):
    """The record of one call to an endpoint. A body is kept where it is not the event's own.

    An extra call is one that a fault added; what comes of it decides nothing.
    """

    number: int
    copy: int
    webhook_id: str
    webhook_timestamp: int
    started_at: float
    finished_at: float
    status: int | None
    error: str | None
    answer: str
    faults: tuple[str, ...]
    request_headers: Mapping[str, str]
    request_body: str | None
    retry_after: str | None = None
    is_extra: bool = False


async def publish(transaction: Transaction, *events: Event) -> None:
    """Store events and, in the same transaction, a delivery for each endpoint that wants one."""
    await insert_events(transaction, events)
    interested = {
        event_type: await ids_of_interested(transaction, event_type)
        for event_type in dict.fromkeys([event.type for event in events])
    }
    rows = [
        _scheduled(event.id, endpoint_id, event.created_at)
        for event in events
        for endpoint_id in interested[event.type]
    ]
    await insert_rows(transaction, _SCHEDULE, rows, _SCHEDULE_ANEW)


def _scheduled(event_id: str, endpoint_id: str, due_at: float) -> tuple[Value, ...]:
    """Return the row that has an event delivered.

    With ``_SCHEDULE_ANEW`` one that was given up before gets the whole schedule again.
    """
    delivery_id = f"dlv_{event_id.removeprefix('evt_')}_{endpoint_id.removeprefix('we_')}"
    return (delivery_id, event_id, endpoint_id, _SCHEDULED, 0, due_at, 0)


async def next_due_by_endpoint(transaction: Transaction) -> list[tuple[str, float]]:
    """Return when each endpoint that something is on its way to is next to be called."""
    rows = await transaction.fetch_all(
        "SELECT id, (SELECT MIN(due_at) FROM deliveries WHERE endpoint_id = webhook_endpoints.id "
        "AND due_at IS NOT NULL) AS due_at FROM webhook_endpoints ORDER BY position"
    )
    return [(row["id"], row["due_at"]) for row in rows if row["due_at"] is not None]


async def backlog(transaction: Transaction, now: float) -> tuple[int, float]:
    """Return how many deliveries wait for their turn, and for how long the longest due has been."""
    row = await transaction.fetch_one(
        "SELECT COUNT(*) AS number, MIN(due_at) AS oldest FROM deliveries WHERE due_at IS NOT NULL"
    )
    assert row is not None
    return row["number"], max(0.0, now - (row["oldest"] or now))


async def claim_due(
    transaction: Transaction, endpoint_id: str, now: float, limit: int, lease_until: float | None
) -> list[Job]:
    """Mark an endpoint's deliveries that are due as being sent; return them, oldest due first.

    With ``lease_until`` they are due again at that time, for whichever process comes by. Without
    (None) they are this process's for as long as it lives.
    """
    endpoint = await endpoint_by_id(transaction, endpoint_id)
    if endpoint is None or endpoint.status != ENABLED:
        # Another process stored them while a third one disabled the endpoint.
        await cancel_deliveries(transaction, endpoint_id)
        return []
    rows = await transaction.fetch_all(
        "SELECT d.id, d.attempts, d.attempts_before, d.claims, d.event_id, e.type, e.sequence, "
        "e.body, "
        "e.payment_id, p.order_number, p.reference, p.metadata FROM (SELECT id, attempts, "
        "attempts_before, claims, event_id, due_at, position FROM deliveries WHERE endpoint_id = ? "
        "AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, position LIMIT ? "
        f"{SKIP_LOCKED}) d JOIN events e ON e.id = d.event_id "
        "LEFT JOIN payments p ON p.id = e.payment_id ORDER BY d.due_at, d.position",
        endpoint_id,
        now,
        limit,
    )
    if rows:
        # By name: asked again, "what is due" could hold one that was committed since the query.
        marks = ", ".join("?" for _ in rows)
        await transaction.execute(
            "UPDATE deliveries SET state = ?, due_at = ?, claims = claims + 1 "
            f"WHERE id IN ({marks})",
            _SENDING,
            lease_until,
            *(row["id"] for row in rows),
        )
    return [_job(row, endpoint) for row in rows]


async def extend_lease(transaction: Transaction, job: Job, lease_until: float) -> bool:
    """Keep a delivery for longer; tell whether it was still this claim's."""
    return bool(
        await transaction.execute(
            "UPDATE deliveries SET due_at = ? WHERE id = ? AND state = ? AND claims = ?",
            lease_until,
            job.delivery_id,
            DeliveryState.SENDING,
            job.claim,
        )
    )


async def resume_interrupted(transaction: Transaction, now: float) -> int:
    """Make deliveries that a dead process was sending due again; return how many there were.

    Only where no living process can be sending any.
    """
    return await transaction.execute(
        "UPDATE deliveries SET state = ?, due_at = ? WHERE state = ?",
        DeliveryState.WAITING,
        now,
        DeliveryState.SENDING,
    )


async def release(transaction: Transaction, job: Job, now: float) -> None:
    """Make one delivery whose attempt broke off due again."""
    await transaction.execute(
        "UPDATE deliveries SET state = ?, due_at = ? WHERE id = ? AND state = ? AND claims = ?",
        DeliveryState.WAITING,
        now,
        job.delivery_id,
        DeliveryState.SENDING,
        job.claim,
    )


async def record_attempts(
    transaction: Transaction,
    job: Job,
    attempts: Sequence[Attempt],
    state: DeliveryState,
    due_at: float | None,
) -> None:
    """Store what one attempt's calls came to and what follows.

    A delivery that was cancelled meanwhile stays cancelled, and one whose lease went to another
    process stays that one's; the calls were made all the same.
    """
    for attempt in attempts:
        await transaction.execute(
            "INSERT INTO attempts (delivery_id, number, copy, webhook_id, webhook_timestamp, "
            "started_at, finished_at, status, error, answer, faults, request_headers, "
            "request_body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            job.delivery_id,
            attempt.number,
            attempt.copy,
            attempt.webhook_id,
            attempt.webhook_timestamp,
            attempt.started_at,
            attempt.finished_at,
            attempt.status,
            attempt.error,
            attempt.answer,
            msgspec.json.encode(attempt.faults).decode(),
            msgspec.json.encode(attempt.request_headers).decode(),
            attempt.request_body,
        )
    await transaction.execute(
        "UPDATE deliveries SET state = ?, attempts = ?, due_at = ? "
        "WHERE id = ? AND state = ? AND claims = ?",
        state._value_,
        attempts[0].number,
        due_at,
        job.delivery_id,
        _SENDING,
        job.claim,
    )


async def is_recorded(transaction: Transaction, job: Job, attempt: Attempt) -> bool:
    """Tell whether this very call is stored."""
    row = await transaction.fetch_one(
        "SELECT 1 AS one FROM attempts WHERE delivery_id = ? AND number = ? AND copy = ? "
        "AND started_at = ?",
        job.delivery_id,
        attempt.number,
        attempt.copy,
        attempt.started_at,
    )
    return row is not None


async def is_to_come(
    transaction: Transaction, payment_id: str, endpoint_id: str | None, event_type: str
) -> bool:
    """Tell whether an event of this type and payment is still to reach the endpoint, or any (None).

    It is while it is on its way there, or while the payment may yet come to it.
    """
    rows = await transaction.fetch_all(
        "SELECT p.status, p.due_at, e.id AS event_id, d.state FROM payments p "
        "LEFT JOIN events e ON e.payment_id = p.id AND e.type = ? "
        "LEFT JOIN deliveries d ON d.event_id = e.id AND d.endpoint_id = COALESCE(?, "
        "d.endpoint_id) WHERE p.id = ?",
        event_type,
        endpoint_id,
        payment_id,
    )
    return any(
        row["state"] in OPEN_STATES
        or (row["event_id"] is None and (row["status"] in OPEN_STATUSES or row["due_at"]))
        for row in rows
    )


async def cancel_deliveries(transaction: Transaction, endpoint_id: str) -> None:
    """Stop what is still on its way to an endpoint."""
    marks = ", ".join("?" for _ in OPEN_STATES)
    await transaction.execute(
        f"UPDATE deliveries SET state = ?, due_at = NULL WHERE endpoint_id = ? "
        f"AND state IN ({marks})",
        DeliveryState.CANCELLED,
        endpoint_id,
        *OPEN_STATES,
    )


async def redeliver(transaction: Transaction, delivery_id: str, now: float) -> None:
    """Have a delivery attempted at once, whatever came of it, unless it is being sent already."""
    row = await transaction.fetch_one(
        "SELECT event_id, endpoint_id, state FROM deliveries WHERE id = ?", delivery_id
    )
    if row is not None and row["state"] != DeliveryState.SENDING:
        again = _scheduled(row["event_id"], row["endpoint_id"], now)
        await insert_rows(transaction, _SCHEDULE, [again], _SCHEDULE_ANEW)


async def recover(
    transaction: Transaction, endpoint: Endpoint, since: float, after_event: str | None, now: float
) -> int:
    """Have every event that the endpoint wants and never got delivered; return how many those are.

    After the position of the event ``after_event`` if there is one, else from the time ``since``.
    """
    types = [kind for kind in (*EVENT_TYPES, DISABLED_EVENT) if endpoint.wants(kind)]
    if not types:
        return 0
    marks = ", ".join("?" for _ in types)
    where: tuple[str, str | float] = ("e.created_at >= ?", since)
    if after_event is not None:
        where = ("e.position > (SELECT position FROM events WHERE id = ?)", after_event)
    # In the database: there may be more of them than fit into memory. Types and order are written
    # so that no index serves them: the one on types would lead through the whole log.
    return await transaction.execute(
        f"{_SCHEDULE} SELECT {_DELIVERY_ID}, e.id, ?, ?, 0, ?, 0 FROM events e "
        "LEFT JOIN deliveries d ON d.event_id = e.id AND d.endpoint_id = ? "
        f"WHERE {where[0]} AND e.type || '' IN ({marks}) AND (d.id IS NULL OR d.state IN (?, ?)) "
        f"ORDER BY +e.position {_SCHEDULE_ANEW}",
        endpoint.id.removeprefix("we_"),
        endpoint.id,
        DeliveryState.SCHEDULED,
        now,
        endpoint.id,
        where[1],
        *types,
        DeliveryState.EXHAUSTED,
        DeliveryState.CANCELLED,
    )


def _job(row: Row, endpoint: Endpoint) -> Job:
    return Job(
        delivery_id=row["id"],
        claim=row["claims"] + 1,
        endpoint=endpoint,
        attempt=row["attempts"] + 1,
        step=row["attempts"] + 1 - row["attempts_before"],
        event_id=row["event_id"],
        event_type=row["type"],
        sequence=row["sequence"],
        body=row["body"],
        payment_id=row["payment_id"],
        order_number=row["order_number"] or 0,
        reference=row["reference"] or "",
        metadata=read_metadata(row["metadata"]),
    )
