"""A signed test event goes to an endpoint at once; what comes back is the answer."""

from __future__ import annotations

from psp_sim.domain.delivery import WebhookAnswer
from psp_sim.domain.dialects import DIALECTS
from psp_sim.domain.dialects.dialect import Message
from psp_sim.domain.endpoint import Endpoint
from psp_sim.domain.endpoint_event import TEST_EVENT, endpoint_event
from psp_sim.domain.errors import EndpointNotVerified
from psp_sim.domain.outgoing import compose
from psp_sim.manage_endpoints import render_endpoint
from psp_sim.provider import Provider
from psp_sim.send_webhook import COMMON_HEADERS, send_webhook


async def send_test(provider: Provider, endpoint: Endpoint) -> WebhookAnswer:
    """Send ``endpoint.test``, signed like any webhook. No fault acts on it, nothing is retried."""
    settings, now = provider.settings, provider.clock.now()
    shown = render_endpoint(endpoint)
    event = endpoint_event(provider.new_id("evt"), TEST_EVENT, shown, now)
    sealed = compose(
        DIALECTS[endpoint.dialect],
        endpoint.secrets_at(now),
        Message(event.id, int(now), endpoint.url, event.body),
        {},
        lambda: provider.random,
    )
    return await send_webhook(
        provider.transport,
        endpoint.url,
        COMMON_HEADERS | sealed.headers,
        sealed.body,
        connect_timeout_s=settings.connect_timeout_s,
        timeout_s=settings.attempt_timeout_s,
    )


async def verify_endpoint(provider: Provider, endpoint: Endpoint) -> None:
    """Check that the endpoint takes a signed event. Raises EndpointNotVerified."""
    answer = await send_test(provider, endpoint)
    if not answer.is_success:
        came = f"status {answer.status}: {answer.body}" if answer.status else f"{answer.error}"
        raise EndpointNotVerified(
            f"{endpoint.url} did not take a signed test event, so it was not registered; "
            f"what came back: {came}"
        )
