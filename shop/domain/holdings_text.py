"""Holdings as one line of text, and back: how they are kept in a column."""

from __future__ import annotations

import json

from shop.domain.holdings import Holdings
from shop.domain.payment import Dispute, Refund


def holdings_from(text: str) -> Holdings:
    """The holdings in a text that ``text_of`` made."""
    if not text:
        return Holdings()
    sequence, status, captured_minor, was_captured, refunds, disputes, entries = json.loads(text)
    return Holdings(
        sequence=sequence,
        status=status,
        captured_minor=captured_minor,
        was_captured=was_captured,
        refunds=tuple(Refund(*one) for one in refunds),
        disputes=tuple(Dispute(*one) for one in disputes),
        entries=entries,
    )


def text_of(holdings: Holdings) -> str:
    """The same text for the same holdings, so that texts can be compared."""
    if holdings == Holdings():
        return ""
    return json.dumps(
        [
            holdings.sequence,
            holdings.status,
            holdings.captured_minor,
            holdings.was_captured,
            [[r.id, r.amount_minor, r.status, r.reason, r.failure] for r in holdings.refunds],
            [[d.id, d.amount_minor, d.status, d.reason] for d in holdings.disputes],
            holdings.entries,
        ]
    )
