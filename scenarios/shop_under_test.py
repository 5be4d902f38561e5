"""What the harness does with any shop that it puts to the test: buy there, look, turn a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What a customer was told; the price is None where the shop does not tell it."""

    id: str
    status: str
    amount_minor: int | None = None
    currency: str | None = None


class ShopUnderTest(Protocol):
    """Every call may raise httpx.HTTPError (no answer) or BadAnswer (not what was asked for)."""

    @property
    def base_url(self) -> str:
        """Where the shop is."""
        ...

    async def check_ready(self) -> None:
        """Return if the shop answers."""
        ...

    async def place_order(self, seed: int, number: int) -> PlacedOrder | None:
        """Buy as customer ``number`` (from 1); None when the shop could not take the order now.

        Raises Unreachable for an order that the shop will never take.
        """
        ...

    async def status_of(self, order_id: str) -> str:
        """Return an order's public status, in the words of ``scenarios.evidence.RANKS``."""
        ...

    async def rotate_secret(self, key: str, /) -> bool:
        """Have the webhooks' secret rotated; tell whether it is done. ``key`` names the wish."""
        ...

    async def refund(self, order_id: str, amount_minor: int, key: str) -> bool:
        """Ask for a refund as the staff does; tell whether it was taken on. ``key`` names it."""
        ...

    async def ledger(self) -> Mapping[str, Mapping[str, int]] | None:
        """Return balances in minor units by account and currency, or None if there are none."""
        ...
