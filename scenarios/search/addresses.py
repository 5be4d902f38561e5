"""From one run without faults to every place where a fault can be aimed.

Addresses are semantic (the first ``payment.succeeded`` of order 1, the third commit of the shop),
so a plan keeps its meaning when messages move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psp_sim.domain.faults import OPERATIONS
from scenarios.search.judge_plan import play_and_keep
from scenarios.search.plan import Plan
from scenarios.targets.simulated import Simulated

# Later on nothing arrives that did not arrive before, and over hours it would be much of that.
_MOMENTS_END_S = 60.0

# Crash points that are never reached: all that they do is to count how often theirs was passed.
_NEVER = 10**9
COUNTED: tuple[Mapping[str, Any], ...] = (
    {"host": "shop", "site": "commit"},
    {"host": "shop", "site": "request"},
    {"host": "shop", "site": "response", "path": "/webhooks"},
    {"host": "psp", "site": "commit"},
    {"host": "psp", "site": "request"},
    {"host": "psp", "site": "response", "path": "/v1/payments"},
)


@dataclass(frozen=True)
class Addresses:
    """Where a run can be hit. Orders count from 1, as do attempts and passages of a site.

    ``webhooks`` are (event type, order), ``calls`` are (operation, order or None, attempt);
    ``sites`` are the fields of a crash with how often its place was passed.
    """

    webhooks: tuple[tuple[str, int], ...] = ()
    calls: tuple[tuple[str, int | None, int], ...] = ()
    sites: tuple[tuple[Mapping[str, Any], int], ...] = ()
    orders: int = 1
    chaos_s: float = 0.0
    moments_s: tuple[float, ...] = field(default=(0.0,))


def addresses_of(ground: Plan) -> Addresses:
    """Play the ground once on the correct shop and note what happens in it.

    Raises WrongUsage if the ground itself is not valid.
    """
    probes = [
        {"kind": "crash", "host": site["host"], "at": _at(site, _NEVER, "before")}
        for site in COUNTED
    ]
    _, done = play_and_keep(ground.with_more_faults(probes), "correct")
    if done is None:
        return Addresses()
    return Addresses(
        webhooks=_webhooks(done),
        calls=_calls(done),
        sites=_sites(done),
        orders=ground.orders,
        chaos_s=ground.scenario.chaos_s,
        moments_s=_moments(done),
    )


def crash_at(site: Mapping[str, Any], nth: int, when: str, down_s: float) -> dict[str, Any]:
    """Return a crash at the n-th passage of a site."""
    return {"kind": "crash", "host": site["host"], "at": _at(site, nth, when), "for": down_s}


def power_loss_at(site: Mapping[str, Any], nth: int, when: str, down_s: float) -> dict[str, Any]:
    """Return a power cut at the n-th passage of a site."""
    return crash_at(site, nth, when, down_s) | {"kind": "power_loss"}


def _at(site: Mapping[str, Any], nth: int, when: str) -> dict[str, Any]:
    at = {key: value for key, value in site.items() if key != "host"}
    return at | {"nth": nth, "when": when}


def _webhooks(done: Simulated) -> tuple[tuple[str, int], ...]:
    numbers = {order.id: order.number for order in done.evidence.orders}
    order_of = {p["id"]: numbers.get(p["reference"]) for p in done.evidence.payments}
    found = (
        (delivery["type"], order_of.get(delivery["payment"]))
        for delivery in done.evidence.deliveries
    )
    return tuple(dict.fromkeys((event, order) for event, order in found if order is not None))


def _calls(done: Simulated) -> tuple[tuple[str, int | None, int], ...]:
    """Name each request that the shop made of the provider once customers had begun to buy."""
    began_us = _first_order_us(done)
    numbers = {order.id: order.number for order in done.evidence.orders}
    counts: Counter[tuple[str, int | None]] = Counter()
    found = []
    for record in done.world.trace.of_kind("request_sent"):
        fields = record.fields
        if (fields["source"], fields["destination"]) != ("shop", "psp"):
            continue
        operation = _operation(done, fields["method"], fields["path"])
        if operation is None or record.time_us < began_us:
            continue
        body = fields["body"].decode()
        order = next((number for name, number in numbers.items() if name in body), None)
        counts[operation, order] += 1
        found.append((operation, order, counts[operation, order]))
    return tuple(found)


def _operation(done: Simulated, method: str, target: str) -> str | None:
    app = done.world.hosts["psp"].application
    path = target.partition("?")[0]
    for route in getattr(app, "routes", ()):
        is_one = getattr(route, "name", None) in OPERATIONS
        if is_one and method in route.methods and route.path_regex.match(path):
            return str(route.name)
    return None


def _sites(done: Simulated) -> tuple[tuple[Mapping[str, Any], int], ...]:
    seen = {
        (point.host, point.site): point.seen
        for host in done.world.hosts.values()
        for point in host.crash_points.points
    }
    return tuple((site, seen.get((site["host"], site["site"]), 0)) for site in COUNTED)


def _moments(done: Simulated) -> tuple[float, ...]:
    """Return when, in the first minute after the first order, a message arrived somewhere."""
    began_us = _first_order_us(done)
    numbers = {r.fields["id"] for r in done.world.trace.of_kind("request_sent")
               if r.fields["source"] != "harness"}  # fmt: skip
    arrived = [
        record.time_us - began_us
        for record in done.world.trace.of_kind("request_arrived")
        if record.fields["id"] in numbers and record.time_us >= began_us
    ]
    moments_s = dict.fromkeys((0.0, *(time_us / 1e6 for time_us in arrived)))
    return tuple(moment_s for moment_s in moments_s if moment_s <= _MOMENTS_END_S)


def _first_order_us(done: Simulated) -> int:
    for record in done.world.trace.of_kind("request_sent"):
        if (record.fields["method"], record.fields["path"]) == ("POST", "/orders"):
            return record.time_us
    return 0
