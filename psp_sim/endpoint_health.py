"""From the outcome of each attempt to an endpoint's health: failing for too long disables it."""

from __future__ import annotations

from dataclasses import replace

from psp_sim.domain.delivery import Delivered, Exhausted, Gone, Waiting
from psp_sim.domain.endpoint import DISABLED, ENABLED, Endpoint, why_to_disable
from psp_sim.domain.endpoint_event import DISABLED_EVENT, endpoint_event
from psp_sim.endpoint_store import clear_failures, count_failure, save_endpoint
from psp_sim.manage_endpoints import render_endpoint
from psp_sim.outbox import cancel_deliveries, publish
from psp_sim.provider import Provider
from sqlport import Transaction

Outcome = Delivered | Waiting | Exhausted | Gone


async def note_outcome(
    provider: Provider, transaction: Transaction, known: Endpoint, outcome: Outcome
) -> bool:
    """Count a success or a failure; tell whether the endpoint was disabled for it.

    ``known`` is the endpoint as it was when the delivery was claimed.
    """
    if isinstance(outcome, Delivered):
        # Most endpoints never fail; what others have stored since, this process cannot know.
        if known.failures or known.id in provider.have_failed or transaction.is_shared:
            await clear_failures(transaction, known.id)
        return False
    now = provider.clock.now()
    provider.have_failed.add(known.id)
    endpoint = await count_failure(transaction, known.id, now)
    if endpoint is None or endpoint.status != ENABLED:
        return False
    reason = _why(provider, endpoint, outcome, now)
    if reason is None:
        return False
    await _disable(provider, transaction, endpoint, reason, now)
    return True


def _why(provider: Provider, endpoint: Endpoint, outcome: Outcome, now: float) -> str | None:
    if isinstance(outcome, Gone):
        return "it answered 410 Gone"
    return why_to_disable(
        endpoint,
        now,
        failures_max=provider.settings.disable_after_failures,
        failing_max_s=provider.scaled(provider.settings.disable_after_s),
    )


async def _disable(
    provider: Provider, transaction: Transaction, endpoint: Endpoint, reason: str, now: float
) -> None:
    """Stop what is on its way to it, and tell the log and the other endpoints."""
    disabled = replace(endpoint, status=DISABLED, disabled_reason=reason)
    await save_endpoint(transaction, disabled)
    await cancel_deliveries(transaction, endpoint.id)
    shown = render_endpoint(disabled)
    await publish(transaction, endpoint_event(provider.new_id("evt"), DISABLED_EVENT, shown, now))
