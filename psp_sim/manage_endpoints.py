"""From requests about webhook endpoints to stored endpoints: registered, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psp_sim.delivery_records import delivery_by_id
from psp_sim.domain.dialects import DIALECTS, STANDARD, dialect_named
from psp_sim.domain.endpoint import ALL_EVENTS, ENABLED, Endpoint, check_url
from psp_sim.domain.errors import EndpointDisabled, InvalidRequest, NotFound
from psp_sim.domain.event import iso_timestamp
from psp_sim.domain.event_filter import check_events
from psp_sim.domain.retry_schedule import RetrySchedule, parse_schedule
from psp_sim.endpoint_store import (
    delete_endpoint,
    endpoint_by_id,
    endpoint_by_url,
    endpoint_to_change,
    save_endpoint,
)
from psp_sim.outbox import cancel_deliveries, recover, redeliver
from psp_sim.provider import Provider
from psp_sim.store import event_body
from sqlport import Transaction


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """What is asked of a new endpoint, not yet checked."""

    url: object
    events: Sequence[str]
    dialect: str = STANDARD
    retry_schedule: object = None
    secret: str | None = None


def new_endpoint(provider: Provider, request: EndpointRequest) -> Endpoint:
    """Make an endpoint, with a fresh secret unless one is given.

    Raises InvalidUrl or InvalidRequest.
    """
    return Endpoint(
        id=provider.new_id("we"),
        url=check_url(request.url, allow_public=provider.settings.allow_public_targets),
        secret=_secret(provider, request),
        events=check_events(request.events),
        status=ENABLED,
        created_at=provider.clock.now(),
        dialect=request.dialect,
        retry_schedule=_schedule(request.retry_schedule),
    )


def _secret(provider: Provider, request: EndpointRequest) -> str:
    dialect = dialect_named(request.dialect)
    if request.secret is None:
        return dialect.new_secret(provider.random)
    try:
        return dialect.given_secret(request.secret)
    except ValueError as problem:
        raise InvalidRequest(f"secret: {problem}") from problem


async def endpoint_at(provider: Provider, url: str) -> Endpoint:
    """Return the endpoint with this URL, for every event; made if there is none.

    Raises InvalidUrl.
    """
    async with provider.database.transaction() as transaction:
        known = await endpoint_by_url(transaction, url)
        if known is not None:
            return known
        endpoint = new_endpoint(provider, EndpointRequest(url, [ALL_EVENTS]))
        await save_endpoint(transaction, endpoint)
    return endpoint


async def find_endpoint(transaction: Transaction, endpoint_id: str) -> Endpoint:
    """Return an endpoint. Raises NotFound."""
    endpoint = await endpoint_by_id(transaction, endpoint_id)
    if endpoint is None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")
    return endpoint


async def hold_endpoint(transaction: Transaction, endpoint_id: str) -> Endpoint:
    """Return an endpoint that nobody else changes until the transaction is over.

    Raises NotFound.
    """
    endpoint = await endpoint_to_change(transaction, endpoint_id)
    if endpoint is None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")
    return endpoint


async def change_endpoint(
    provider: Provider, endpoint_id: str, changes: dict[str, Any]
) -> Endpoint:
    """Change url, events or retry schedule (None for the provider's); others stay as they are.

    Raises NotFound, InvalidUrl or InvalidRequest.
    """
    checked = dict(changes)
    if "url" in changes:
        allow_public = provider.settings.allow_public_targets
        checked["url"] = check_url(changes["url"], allow_public=allow_public)
    if "events" in changes:
        checked["events"] = check_events(changes["events"])
    if "retry_schedule" in changes:
        checked["retry_schedule"] = _schedule(changes["retry_schedule"])
    async with provider.database.transaction() as transaction:
        changed = replace(await hold_endpoint(transaction, endpoint_id), **checked)
        await save_endpoint(transaction, changed)
    return changed


async def enable_endpoint(provider: Provider, endpoint_id: str) -> Endpoint:
    """Send to the endpoint again, from now on. Raises NotFound."""
    async with provider.database.transaction() as transaction:
        enabled = (await hold_endpoint(transaction, endpoint_id)).as_enabled()
        await save_endpoint(transaction, enabled)
    return enabled


async def recover_events(provider: Provider, endpoint_id: str, since: str) -> int:
    """Deliver what the endpoint never got, from a time or after an event; return how many.

    Raises NotFound, InvalidRequest or EndpointDisabled.
    """
    async with provider.database.transaction() as transaction:
        endpoint = _enabled(await find_endpoint(transaction, endpoint_id))
        is_event = since.startswith("evt_")
        if is_event and await event_body(transaction, since) is None:
            raise NotFound(f"there is no event {since}")
        start, after = (0.0, since) if is_event else (_unix_s(since), None)
        recovered = await recover(transaction, endpoint, start, after, provider.clock.now())
    provider.delivery_due.ring()
    return recovered


async def redeliver_event(provider: Provider, delivery_id: str) -> dict[str, Any]:
    """Attempt a delivery again at once; return it. Raises NotFound or EndpointDisabled."""
    async with provider.database.transaction() as transaction:
        shown = await delivery_by_id(transaction, delivery_id)
        if shown is None:
            raise NotFound(f"there is no delivery {delivery_id}")
        _enabled(await find_endpoint(transaction, shown["endpoint"]))
        await redeliver(transaction, delivery_id, provider.clock.now())
        shown = await delivery_by_id(transaction, delivery_id)
        assert shown is not None, "nothing else runs in this transaction"
    provider.delivery_due.ring()
    return shown


async def rotate_secret(
    provider: Provider, transaction: Transaction, endpoint_id: str, overlap_s: float | None
) -> Endpoint:
    """Give the endpoint a new secret; the one so far signs beside it during the overlap.

    ``overlap_s`` in seconds, None for the provider's own. Raises NotFound.
    """
    endpoint = await hold_endpoint(transaction, endpoint_id)
    lasting_s = provider.settings.rotation_overlap_s if overlap_s is None else overlap_s
    secret = DIALECTS[endpoint.dialect].new_secret(provider.random)
    rotated = endpoint.with_new_secret(secret, provider.clock.now(), lasting_s)
    await save_endpoint(transaction, rotated)
    return rotated


async def remove_endpoint(provider: Provider, endpoint_id: str) -> None:
    """Forget an endpoint and stop what is on its way to it. Raises NotFound."""
    async with provider.database.transaction() as transaction:
        await hold_endpoint(transaction, endpoint_id)
        await cancel_deliveries(transaction, endpoint_id)
        await delete_endpoint(transaction, endpoint_id)
    provider.delivery_changed.ring()


def render_endpoint(endpoint: Endpoint, *, with_secret: bool = False) -> dict[str, Any]:
    """Return the endpoint as the API shows it; the secret shows only when it is new."""
    until = endpoint.previous_until
    schedule = endpoint.retry_schedule
    shown: dict[str, Any] = {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "dialect": endpoint.dialect,
        "events": list(endpoint.events),
        "retry_schedule": None if schedule is None else schedule.name,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason,
        "created": iso_timestamp(endpoint.created_at),
        "previous_secret_expires_at": None if until is None else iso_timestamp(until),
    }
    secret = DIALECTS[endpoint.dialect].shown_secret(endpoint.secret) if with_secret else ""
    return shown | {"secret": secret} if with_secret else shown


def _schedule(value: object) -> RetrySchedule | None:
    if value is None:
        return None
    try:
        return parse_schedule(value)
    except ValueError as problem:
        raise InvalidRequest(f"retry_schedule: {problem}") from problem


def _enabled(endpoint: Endpoint) -> Endpoint:
    if endpoint.status != ENABLED:
        raise EndpointDisabled(
            f"{endpoint.id} is disabled ({endpoint.disabled_reason}): "
            f"POST /v1/webhook_endpoints/{endpoint.id}/enable first"
        )
    return endpoint


def _unix_s(moment: str) -> float:
    try:
        parsed = datetime.fromisoformat(moment)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as problem:
        raise InvalidRequest(
            f"since={moment!r} is neither a time like 2026-01-01T00:00:00Z nor an event's id"
        ) from problem
