"""One shop as the audience sees it: what crosses the wire, what it knows, how late it was."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

KEPT_ORDERS = 2000
KEPT_STALENESS = 300
STUCK_AFTER_S = 3.0


@dataclass(slots=True)
class Order:
    """Unix times; None until it has happened. ``shipments`` above 1 is a bug made visible."""

    placed_at: float
    settled_at: float | None = None
    known_at: float | None = None
    shipments: int = 0


@dataclass(slots=True)
class Lane:
    """The books of one shop; bounded, however long the demo runs."""

    name: str
    title: str
    stuck_after_s: float = STUCK_AFTER_S
    counts: Counter[str] = field(default_factory=Counter)
    orders: dict[str, Order] = field(default_factory=dict)
    staleness_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_STALENESS))

    def placed(self, order_id: str, now: float) -> None:
        """Note a new order; the oldest that are done are forgotten."""
        self.orders[order_id] = Order(now)
        self.counts["orders"] += 1
        if len(self.orders) > KEPT_ORDERS:
            del self.orders[next(iter(self.orders))]

    def settled(self, order_id: str, at: float) -> None:
        """Note that the provider has the money."""
        order = self.orders.get(order_id)
        if order is not None and order.settled_at is None:
            order.settled_at = at
            self._compare(order)

    def shipped(self, order_id: str, now: float) -> None:
        """Note that the goods left: that is when the shop had learnt of the payment."""
        order = self.orders.get(order_id)
        if order is None:
            return
        order.shipments += 1
        if order.shipments == 2:
            self.counts["shipped_twice"] += 1
        if order.known_at is None:
            order.known_at = now
            self.counts["shipped"] += 1
            self._compare(order)

    def _compare(self, order: Order) -> None:
        if order.settled_at is not None and order.known_at is not None:
            self.staleness_s.append(max(order.known_at - order.settled_at, 0.0))

    def asked(self, outcome: str) -> None:
        """Count a question to the provider: ``useful``, ``wasted`` or ``failed``."""
        self.counts["questions"] += 1
        self.counts[outcome] += 1

    def told(self, status: int) -> None:
        """Count a webhook that reached the shop."""
        self.counts["webhooks"] += 1
        if not 200 <= status < 300:
            self.counts["refused"] += 1

    @property
    def is_at_rest(self) -> bool:
        """Whether every order of its books has left."""
        return all(order.known_at is not None for order in self.orders.values())

    def lacks_news_of(self, before: float) -> bool:
        """Tell whether there is an order of which the shop still lacks what was so by then."""
        return any(
            order.settled_at is not None and order.settled_at <= before and order.known_at is None
            for order in self.orders.values()
        )

    def as_json(self, now: float) -> dict[str, Any]:
        """Return the numbers of this moment; times in seconds."""
        open_since = [
            now - order.settled_at
            for order in self.orders.values()
            if order.settled_at is not None and order.known_at is None
        ]
        recent = list(self.staleness_s)[-20:]
        has_news = bool(open_since or recent)
        keys = (
            *("orders", "shipped", "shipped_twice", "questions", "useful", "wasted", "failed"),
            *("webhooks", "refused"),
        )
        return {
            **{key: self.counts[key] for key in keys},
            "stuck": sum(age_s > self.stuck_after_s for age_s in open_since),
            "unknown": len(open_since),
            # News that is still to come is as late as it has been so far.
            "staleness_s": round(max([*open_since, _mean(recent)]), 3) if has_news else None,
            "staleness_mean_s": round(_mean(list(self.staleness_s)), 3),
        }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
