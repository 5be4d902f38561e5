"""One run of a strategy: customers come, the weather breaks and clears, and it is written down."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from scenarios.api import Api, BadAnswer
from scenarios.comparison.observation import Counters, Observation, PaymentSeen, Sample
from scenarios.comparison.weather import Weather
from scenarios.comparison.workload import Workload
from scenarios.customers import order_of
from scenarios.errors import Unreachable

SAMPLE_EVERY_S = 20.0
# The weather holds until the last payments have settled, then the rest has a day to be found out.
WEATHER_LASTS_ON_S = 300.0
WATCHED_AFTERWARDS_S = 86_400.0
LOOK_STEP_FIRST_S = 5.0
LOOK_STEP_MAX_S = 600.0
READY_TRIES = 200
READY_STEP_S = 0.1
OPEN = "pending"


@dataclass(frozen=True)
class Place:
    """A provider and a shop to watch, however they came to run.

    ``learnt`` counts the orders whose outcome the shop has acted on; ``time_scale`` is how many
    times faster than written all times pass here.
    """

    provider: Api
    shop: Api
    now: Callable[[], float]
    learnt: Callable[[], int]
    listens: bool
    time_scale: float = 1.0
    shop_started_at: float | None = None
    samples: list[Sample] = field(default_factory=list)

    async def sleep_until(self, at_s: float, began_at: float) -> None:
        """Sleep until a time of the run, in the workload's seconds."""
        delay_s = at_s / self.time_scale - (self.now() - began_at)
        await asyncio.sleep(max(delay_s, 0.0))

    def at_s(self, moment: float, began_at: float) -> float:
        """Return a moment of this place's clock in the workload's seconds from the start."""
        return (moment - began_at) * self.time_scale


async def watch(place: Place, workload: Workload, weather: Weather) -> Observation:
    """Play the workload and return what was seen. Raises Unreachable."""
    await _wait_until_ready(place)
    products = (await place.shop.get("/products"))["data"]
    began_at = place.now()
    sampling = asyncio.create_task(_sample(place, began_at))
    try:
        arrivals_s = workload.arrivals_s()
        await asyncio.gather(
            _let_it_rain(place, weather, began_at),
            *(
                _buy(place, order_of(workload.seed, n, products), at_s, began_at)
                for n, at_s in enumerate(arrivals_s, start=1)
            ),
        )
        busy_s = place.at_s(place.now(), began_at)
        rain_ends_s = max(busy_s, weather.start_s + weather.outage_s) + WEATHER_LASTS_ON_S
        await _until_learnt(place, workload.payments, rain_ends_s, began_at)
        fired = await _clear_up(place)
        await _until_learnt(place, workload.payments, busy_s + WATCHED_AFTERWARDS_S, began_at)
    finally:
        sampling.cancel()
    ended_s = place.at_s(place.now(), began_at)
    return Observation(
        payments=await _payments_seen(place, began_at),
        samples=tuple(place.samples),
        by_kind=await _counters(place),
        busy_s=busy_s,
        ended_s=ended_s,
        fired=fired,
        attempts_lost=await _attempts_without_answer(place),
        shop_started_s=(
            None if place.shop_started_at is None else place.at_s(place.shop_started_at, began_at)
        ),
    )


async def _wait_until_ready(place: Place) -> None:
    reason = "it did not answer"
    for _ in range(READY_TRIES):
        try:
            await place.shop.get("/healthz")
            if not place.listens or await place.provider.get_all("/v1/webhook_endpoints"):
                return
            reason = "it registered no webhook endpoint"
        except (httpx.HTTPError, BadAnswer) as problem:
            reason = str(problem) or type(problem).__name__
        await asyncio.sleep(READY_STEP_S)
    raise Unreachable(f"the shop at {place.shop.base_url} did not become ready: {reason}")


async def _let_it_rain(place: Place, weather: Weather, began_at: float) -> None:
    await place.sleep_until(weather.start_s, began_at)
    for document in weather.documents:
        status, answer = await place.provider.call("POST", "/_control/faults", dict(document))
        if status != 201:
            raise Unreachable(f"the provider refused the fault {document['kind']}: {answer}")


async def _buy(place: Place, wanted: dict[str, Any], at_s: float, began_at: float) -> None:
    await place.sleep_until(at_s, began_at)
    try:
        status, answer = await place.shop.call("POST", "/orders", wanted)
    except httpx.HTTPError as problem:
        raise Unreachable(f"the shop took no order: {problem!r}") from problem
    if status != 201:
        raise Unreachable(f"the shop refused an order with {status}: {answer}")


async def _sample(place: Place, began_at: float) -> None:
    while True:
        tracking = await place.shop.get("/tracking")
        webhooks = tracking["by_kind"].get("webhook", {}).get("requests", 0)
        at_s = place.at_s(place.now(), began_at)
        place.samples.append(
            Sample(at_s, tracking["requests"] - webhooks, webhooks, tracking["connections_held"])
        )
        await place.sleep_until(at_s + SAMPLE_EVERY_S, began_at)


async def _until_learnt(place: Place, payments: int, until_s: float, began_at: float) -> None:
    """Wait until every outcome is known, or until a time of the run."""
    step_s = LOOK_STEP_FIRST_S
    while place.learnt() < payments:
        at_s = place.at_s(place.now(), began_at)
        if at_s >= until_s:
            return
        await place.sleep_until(min(at_s + step_s, until_s), began_at)
        step_s = min(step_s * 1.1, LOOK_STEP_MAX_S)


async def _clear_up(place: Place) -> Mapping[str, int]:
    """Lift every fault; return how often each kind acted."""
    try:
        fired = (await place.provider.get("/_control/faults"))["fired"]
        await place.provider.call("DELETE", "/_control/faults")
    except (httpx.HTTPError, BadAnswer) as problem:
        raise Unreachable(f"the provider's control API did not answer: {problem}") from problem
    return dict(fired)


async def _payments_seen(place: Place, began_at: float) -> tuple[PaymentSeen, ...]:
    """Put the provider's events beside the shop's own history of each order."""
    since = functools.partial(_moment, place, began_at)
    settled_s = {
        event["data"]["reference"]: since(event["timestamp"])
        for event in await place.provider.get_all("/v1/events")
        if event["type"] == "payment.succeeded"
    }
    return tuple(
        PaymentSeen(since(order["created"]), settled_s[order["id"]], *_learnt(order, since))
        for order in await place.shop.get_all("/orders")
        if order["id"] in settled_s
    )


def _learnt(
    order: Mapping[str, Any], since: Callable[[str], float]
) -> tuple[float | None, str | None]:
    for step in order["history"]:
        if step["status"] != OPEN:
            return since(step["time"]), step["source"]
    return None, None


def _moment(place: Place, began_at: float, text: str) -> float:
    return place.at_s(datetime.fromisoformat(text).timestamp(), began_at)


async def _counters(place: Place) -> Mapping[str, Counters]:
    by_kind = (await place.shop.get("/tracking"))["by_kind"]
    return {
        kind: Counters(
            one["requests"], one["useless_requests"], one["not_modified"], one["failed_requests"]
        )
        for kind, one in by_kind.items()
    }


async def _attempts_without_answer(place: Place) -> int:
    """Count the webhooks that the provider sent and that never arrived."""
    if not place.listens:
        return 0
    fired = (await place.provider.get("/_control/faults"))["fired"]
    return int(fired.get("drop", 0))
