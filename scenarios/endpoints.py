"""The shop's endpoint at the provider: what befalls it, and what became of it in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scenarios.scenario import REMOVE, STEPS_ON_ENDPOINTS, Scenario
from scenarios.stage import Stage
from shop.settings import WEBHOOKS_AND_RECONCILIATION
from shop.settings import Settings as ShopSettings

# A name that nobody can have (RFC 2606).
NOBODY = "http://nobody.invalid/webhooks"


def has_to_mend(scenario: Scenario, shop: ShopSettings) -> bool:
    """Tell whether the shop may have to mend its endpoint; one that only listens never looks."""
    return scenario.troubles_endpoint and shop.tracking == WEBHOOKS_AND_RECONCILIATION


async def read_endpoints(stage: Stage) -> list[Mapping[str, Any]]:
    """Return all endpoints. Raises httpx.HTTPError or BadAnswer."""
    return await stage.provider.get_all("/v1/webhook_endpoints")


async def carry_out(stage: Stage, step: str, key: str) -> bool:
    """Do one of ``STEPS_ON_ENDPOINTS`` to every endpoint; tell whether that is done.

    One that was removed before, by a call whose answer got lost, is done with.
    Raises httpx.HTTPError or BadAnswer.
    """
    endpoints = await read_endpoints(stage)
    method, body = ("DELETE", None) if step == REMOVE else ("PATCH", {"url": NOBODY})
    for endpoint in endpoints:
        headers = {**stage.provider.headers, "idempotency-key": f"{key}-{endpoint['id']}"}
        status, _ = await replace(stage.provider, headers=headers).call(
            method, f"/v1/webhook_endpoints/{endpoint['id']}", body
        )
        if status != 200:
            return False
    return bool(endpoints) or step == REMOVE


def what_is_wrong(endpoints: Sequence[Mapping[str, Any]]) -> str | None:
    """Say why webhooks cannot come, or return None: one good endpoint is enough."""
    if any(each["status"] == "enabled" and each["url"] != NOBODY for each in endpoints):
        return None
    if not endpoints:
        return "the provider has no endpoint of the shop"
    last = endpoints[-1]
    if last["status"] == "enabled":
        return f"the webhook endpoint points to {last['url']}, and nobody put that right"
    path = f"POST /v1/webhook_endpoints/{last['id']}/enable"
    return f"the provider disabled the webhook endpoint, and nobody called {path}"


async def count_troubles(stage: Stage, scenario: Scenario, undone: Sequence[str]) -> int:
    """Return how often something befell the endpoint. Raises httpx.HTTPError or BadAnswer."""
    page = await stage.provider.get("/v1/events?type=endpoint.disabled&limit=100")
    wanted = sum(step.do in STEPS_ON_ENDPOINTS for step in scenario.steps)
    return len(page["data"]) + wanted - sum(step in STEPS_ON_ENDPOINTS for step in undone)
