"""Which order a reference is, counted from 1, so that a fault can be aimed at the third order."""

from __future__ import annotations

from psp_sim.store import highest_order_number, order_number_of
from sqlport import Transaction


class OrderNumbers:
    """Numbers are stored with payments; here are those whose request was seen and then lost."""

    def __init__(self) -> None:
        self._lost: dict[str, int] = {}
        self._highest = 0

    def __len__(self) -> int:
        return len(self._lost)

    async def number_of(self, transaction: Transaction, reference: str) -> int:
        """Return the number of the reference, a new one if it was never seen."""
        number = await order_number_of(transaction, reference)
        if number is not None:
            return number
        if reference not in self._lost:
            self._highest = max(self._highest, await highest_order_number(transaction)) + 1
            self._lost[reference] = self._highest
        return self._lost[reference]

    def stored(self, reference: str) -> None:
        """Forget a reference: from now on its number comes from the database."""
        self._lost.pop(reference, None)
