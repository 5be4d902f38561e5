"""From evidence to plots: what happened when, how soon goods left, how fast answers came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from psp_sim.domain.duration import format_duration
from scenarios.evidence import Evidence, OrderSeen
from scenarios.report.order_story import beginning_of, deliveries_of, moment
from scenarios.report.plot_svg import Dot, Kind, Row, dot_plot
from scenarios.verdict import ScenarioResult

ORDERS_MAX = 12
ANSWER_LEAST_S = 0.001


def timeline_plot(evidence: Evidence) -> str:
    """Return when what happened to each order: webhooks and how they fared, statuses, goods."""
    began = beginning_of(evidence)
    shown = sorted(evidence.orders, key=lambda order: order.number)[:ORDERS_MAX]
    rows = [
        Row(f"order {order.number}", sorted(_moments(evidence, order, began), key=_seconds))
        for order in shown
    ]
    return dot_plot("What happened to each order, from the first order on", rows)


def shipping_plot(results: Sequence[ScenarioResult]) -> str:
    """Return how long it took from an order to its goods, scenario by scenario."""
    return dot_plot("From an order to its goods", _rows(results, _shipping))


def answering_plot(results: Sequence[ScenarioResult]) -> str:
    """Return how long the service took to answer each webhook, scenario by scenario."""
    rows = _rows(results, _answering)
    return dot_plot("How long the service took to answer a webhook", rows, ANSWER_LEAST_S)


def _seconds(dot: Dot) -> float:
    return dot.seconds


def _rows(
    results: Sequence[ScenarioResult], dots_of: Callable[[Evidence], Iterator[Dot]]
) -> list[Row]:
    return [
        Row(result.name, dots)
        for result in results
        if result.told is not None
        and result.told.evidence is not None
        and (dots := list(dots_of(result.told.evidence)))
    ]


def _shipping(evidence: Evidence) -> Iterator[Dot]:
    for order in evidence.orders:
        times = [each.at for each in evidence.shipments if each.order == order.id]
        if times:
            took_s = min(times) - order.placed_at
            yield Dot(took_s, "ship", f"order {order.number}: {format_duration(took_s)}")


def _answering(evidence: Evidence) -> Iterator[Dot]:
    for delivery, attempt in evidence.attempts():
        if attempt["status"] is not None:
            took_s = float(attempt.get("duration_ms", 0)) / 1000
            said = f"{delivery['type']}: {attempt['status']} after {1000 * took_s:.0f} ms"
            yield Dot(took_s, _kind_of(attempt["status"]), said)


def _kind_of(status: int) -> Kind:
    return "good" if 200 <= status < 300 else "bad"


def _moments(evidence: Evidence, order: OrderSeen, began: float) -> Iterator[Dot]:
    for at, status in order.history:
        said = f"{format_duration(at - began)}: the shop says “{status}”"
        yield Dot(at - began, "shop", said)
    for delivery in deliveries_of(evidence, order):
        for attempt in delivery["attempts"]:
            at_s, status = moment(attempt["started"]) - began, attempt["status"]
            got = attempt["error"] if status is None else str(status)
            kind: Kind = "lost" if status is None else _kind_of(status)
            faults = f" ({', '.join(attempt['faults'])})" if attempt["faults"] else ""
            said = f"{format_duration(at_s)}: {delivery['type']}{faults}: {got}"
            yield Dot(at_s, kind, said)
    for shipment in evidence.shipments:
        if shipment.order == order.id:
            at_s = shipment.at - began
            yield Dot(at_s, "ship", f"{format_duration(at_s)}: goods leave")
