"""Double-entry bookkeeping: what is known of the money comes in, a balanced entry goes out.

``provider`` is what the provider owes us, against ``sales``, ``refunds`` and ``disputes``.
"""

from __future__ import annotations

from dataclasses import dataclass

from shop.domain.holdings import NOTHING_KNOWN, Holdings, holdings_in
from shop.domain.payment import Payment


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: positive is a debit, negative a credit."""

    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines of one currency that sum to zero. Written once, never changed."""

    id: str
    payment_id: str
    currency: str
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        assert sum(line.amount_minor for line in self.lines) == 0, "an entry balances"


def entry_for_capture(payment: Payment) -> Entry:
    """The provider owes us the money, and a sale was made.

    The id follows from the payment's id and the kind of entry, so booking twice books the same.
    """
    entry = entry_for_change(payment, NOTHING_KNOWN, holdings_in(payment))
    assert entry is not None, "asked for when a payment has succeeded"
    return entry


def entry_for_change(payment: Payment, known: Holdings, now: Holdings) -> Entry | None:
    """What brings the books from what was known to what is known now; None if they are right.

    Every entry is a difference, so the books always hold what the newest view says, whatever was
    seen before it. The id follows from how many entries the payment has, so booking twice books
    the same.
    """
    before, after = _balances(known), _balances(now)
    lines = tuple(
        Line(account, after[account] - before[account])
        for account in after
        if after[account] != before[account]
    )
    if not lines:
        return None
    name = "captured" if known.entries == 0 else f"correction-{known.entries}"
    return Entry(f"{payment.id}:{name}", payment.id, payment.currency, lines)


def _balances(holdings: Holdings) -> dict[str, int]:
    captured = holdings.captured_minor
    refunded, disputed = holdings.refunded_minor, holdings.disputed_minor
    return {
        "provider": captured - refunded - disputed,
        "sales": -captured,
        "refunds": refunded,
        "disputes": disputed,
    }
