"""Three sets of books come in: the provider's, the shop's, the warehouse's. What differs goes out.

Money is conserved when every captured payment is one paid order and one fulfilment, and the
reverse. Nothing here does IO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

CAPTURED = "succeeded"
SETTLED_PAYMENT = (CAPTURED, "failed", "canceled", "expired")
SETTLED_ORDER = ("fulfilled", "failed")
PAID = ("paid", "fulfilled")
EXAMPLES_MAX = 3
# The account of the shop's ledger that holds what the provider owes it.
PROVIDER_ACCOUNT = "provider"


@dataclass(frozen=True)
class Payment:
    """A payment in the provider's books; the reference is the shop's order id."""

    reference: str
    status: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Order:
    """An order in the shop's books."""

    id: str
    status: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Call:
    """A call that reached the warehouse. Calls with the same fulfilment id are one fulfilment."""

    order: str
    fulfilment: str | None


@dataclass(frozen=True)
class Books:
    """What each of the three says has happened."""

    payments: tuple[Payment, ...]
    orders: tuple[Order, ...]
    calls: tuple[Call, ...]
    ledger: Mapping[str, Mapping[str, int]] | None = None
    """The shop's account → currency → balance in minor units; None where it shows none."""

    @property
    def captured(self) -> list[Payment]:
        """The payments that moved money."""
        return [payment for payment in self.payments if payment.status == CAPTURED]

    @property
    def paid(self) -> list[Order]:
        """The orders that the shop takes for paid."""
        return [order for order in self.orders if order.status in PAID]

    @property
    def fulfilled_orders(self) -> list[str]:
        """One order id for each distinct fulfilment; a call without an id stands for itself."""
        named = dict.fromkeys((c.order, c.fulfilment) for c in self.calls if c.fulfilment)
        nameless = [call.order for call in self.calls if not call.fulfilment]
        return [order for order, _ in named] + nameless


def still_pending(books: Books) -> str:
    """Return what has not come to its end yet, or an empty text."""
    payments = sum(payment.status not in SETTLED_PAYMENT for payment in books.payments)
    orders = sum(order.status not in SETTLED_ORDER for order in books.orders)
    return f"{payments} payments and {orders} orders" if payments or orders else ""


def findings(books: Books) -> list[str]:
    """Return a sentence for each way in which the books do not agree; none when they do."""
    captured = Counter(payment.reference for payment in books.captured)
    paid = Counter(order.id for order in books.paid)
    fulfilled = Counter(books.fulfilled_orders)
    return [
        *_about("were charged more than once", _repeated(captured)),
        *_about("were charged but are not paid at the shop", captured.keys() - paid.keys()),
        *_about("are paid at the shop but were never charged", paid.keys() - captured.keys()),
        *_about("were fulfilled more than once", _repeated(fulfilled)),
        *_about("are paid but were never fulfilled", paid.keys() - fulfilled.keys()),
        *_about("were fulfilled but are not paid", fulfilled.keys() - paid.keys()),
        *_different_sums(books),
        *_unbalanced(books),
    ]


def account(books: Books) -> list[str]:
    """Return the figures as sentences."""
    fulfilled = books.fulfilled_orders
    repeats = len(books.calls) - len(fulfilled)
    return [
        f"The provider captured {len(books.captured):,} of {len(books.payments):,} payments.",
        f"The shop has {len(books.paid):,} paid of {len(books.orders):,} orders.",
        f"The warehouse took {len(fulfilled):,} distinct fulfilments "
        f"for {len(set(fulfilled)):,} orders, and {repeats:,} repeated calls.",
        *(
            f"{currency}: captured {captured:,}, paid {paid:,} (minor units)."
            for currency, captured, paid in _sums(books)
        ),
    ]


def _about(what: str, orders: Iterable[str]) -> Iterator[str]:
    found = sorted(orders)
    if found:
        more = ", …" if len(found) > EXAMPLES_MAX else ""
        yield f"{len(found):,} orders {what}: {', '.join(found[:EXAMPLES_MAX])}{more}."


def _repeated(counts: Counter[str]) -> list[str]:
    return [name for name, count in counts.items() if count > 1]


def _different_sums(books: Books) -> list[str]:
    return [
        f"{currency}: {captured:,} were captured but {paid:,} are paid (minor units)."
        for currency, captured, paid in _sums(books)
        if captured != paid
    ]


def _unbalanced(books: Books) -> Iterator[str]:
    """Look for money that the ledger made up or lost: it nets to zero, and owes what was taken."""
    if books.ledger is None:
        return
    totals: Counter[str] = Counter()
    for balances in books.ledger.values():
        totals.update(balances)
    for currency, total in sorted(totals.items()):
        if total:
            yield f"{currency}: the shop's ledger does not balance, it sums to {total:,}."
    captured, booked = _total(books.captured), Counter(books.ledger.get(PROVIDER_ACCOUNT, {}))
    for currency in sorted(captured | booked):
        if captured[currency] != booked[currency]:
            yield (
                f"{currency}: {captured[currency]:,} were captured, "
                f"but the shop's ledger has {booked[currency]:,} from the provider (minor units)."
            )


def _sums(books: Books) -> list[tuple[str, int, int]]:
    """Return (currency, captured minor units, paid minor units) for each currency."""
    captured, paid = _total(books.captured), _total(books.paid)
    return [(currency, captured[currency], paid[currency]) for currency in sorted(captured | paid)]


def _total(entries: Iterable[Payment | Order]) -> Counter[str]:
    total: Counter[str] = Counter()
    for entry in entries:
        total[entry.currency] += entry.amount_minor
    return total
