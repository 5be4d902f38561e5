"""Shipping what was paid for: an order comes in, the one fulfilment that it can have goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shop.domain.catalogue import Item


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What the warehouse is asked to do. It drops a second request with the same id."""

    id: str
    order_id: str
    items: tuple[Item, ...]


def fulfilment_of(order_id: str, items: Sequence[Item]) -> Fulfilment:
    """The order's fulfilment. Its id follows from the order's: asking twice asks for the same."""
    return Fulfilment(f"ful_{order_id.removeprefix('ord_')}", order_id, tuple(items))
