"""Believes that every currency has a hundred parts.

People write: ``amount / 100`` on the way in and ``* 100`` on the way out, and have only ever sold
for euros.
Breaks because a yen has no parts and a Kuwaiti dinar has a thousand (ISO 4217).
Shows as books that hold a hundred times the yen, or a tenth of the dinars, that the provider took.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mutants.mutant import Mutant
from shop.domain.ledger import Entry, Line
from shop.domain.money import decimals_of
from shop.domain.order import Decision, Order, decide
from shop.domain.payment import PaymentOutcome
from shop.parts import Parts


def book_hundredths(order: Order, outcome: PaymentOutcome) -> Decision:
    """Decide correctly about everything but what is booked."""
    decision = decide(order, outcome)
    entry = decision.entry
    return decision if entry is None else replace(decision, entry=_in_hundredths(entry))


def _in_hundredths(entry: Entry) -> Entry:
    """The entry as a person would retype it from what a page shows, with two decimals."""
    parts = 10 ** decimals_of(entry.currency)
    amounts = [line.amount_minor * 100 // parts for line in entry.lines[:-1]]
    lines = [Line(line.account, amount) for line, amount in zip(entry.lines, amounts, strict=False)]
    return replace(entry, lines=(*lines, Line(entry.lines[-1].account, -sum(amounts))))


MUTANT = Mutant(
    "two_decimals_everywhere",
    "M48",
    "books every currency as if it had two decimals",
    Parts(decide=book_hundredths),
)
