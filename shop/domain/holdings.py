"""What the shop knows of an order's money at the provider: two views come in, the newer goes out.

The provider's views of one payment are ordered by their sequence, and each says everything. So the
join of two views is the newer one, together with whether any of them ever showed the money taken.
Which view came first, and how often, makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass

from shop.domain.payment import SUCCEEDED, Dispute, Payment, Refund

# Of two views with the same sequence (a provider that does not count), the later state wins.
_RANKS = {"canceled": 1, "expired": 1, "failed": 2, SUCCEEDED: 3}
_TAKEN_BY_A_DISPUTE = ("opened", "lost")


@dataclass(frozen=True, slots=True)
class Holdings:
    """The newest view of the payment, in minor units.

    Args:
        sequence: the view's own; -1 before there is one
        was_captured: whether this view or any other showed the payment succeeded
        entries: how many ledger entries have been booked for this payment
    """

    sequence: int = -1
    status: str = ""
    captured_minor: int = 0
    was_captured: bool = False
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    entries: int = 0

    @property
    def refunded_minor(self) -> int:
        """What has really gone back to the customer."""
        return sum(one.amount_minor for one in self.refunds if one.status == SUCCEEDED)

    @property
    def disputed_minor(self) -> int:
        """What disputes have taken: an open one holds the money, a lost one keeps it."""
        return sum(one.amount_minor for one in self.disputes if one.status in _TAKEN_BY_A_DISPUTE)

    @property
    def awaits_refund(self) -> bool:
        """Whether a refund is on its way whose outcome is not known yet."""
        return any(one.status == "pending" for one in self.refunds)

    @property
    def was_returned(self) -> bool:
        """Whether the payment has failed after its success: the bank has the money again."""
        return self.was_captured and self.status != SUCCEEDED

    @property
    def is_reversed(self) -> bool:
        """Whether the money was taken and is gone again without our doing."""
        return self.was_returned or any(one.status == "lost" for one in self.disputes)

    @property
    def is_disputed(self) -> bool:
        """Whether a dispute is open."""
        return any(one.status == "opened" for one in self.disputes)


NOTHING_KNOWN = Holdings()


def holdings_in(payment: Payment) -> Holdings:
    """One view of a payment as holdings."""
    succeeded = payment.status == SUCCEEDED
    captured_minor = payment.captured_minor
    if captured_minor is None:
        captured_minor = payment.amount_minor
    return Holdings(
        sequence=payment.sequence,
        status=payment.status,
        captured_minor=captured_minor if succeeded else 0,
        was_captured=succeeded,
        refunds=tuple(sorted(payment.refunds, key=lambda one: one.id)),
        disputes=tuple(sorted(payment.disputes, key=lambda one: one.id)),
    )


def newer_of(known: Holdings, learnt: Holdings) -> Holdings:
    """The join of two views of one payment. The count of entries stays with what is known."""
    newest = max(known, learnt, key=_age)
    return Holdings(
        newest.sequence,
        newest.status,
        newest.captured_minor,
        known.was_captured or learnt.was_captured,
        newest.refunds,
        newest.disputes,
        known.entries,
    )


def _age(view: Holdings) -> tuple[object, ...]:
    """A total order: by sequence, then by how final the view is, then by anything that differs."""
    return (
        view.sequence,
        _RANKS.get(view.status, 0),
        view.captured_minor,
        [(one.id, one.status, one.amount_minor) for one in view.refunds],
        [(one.id, one.status, one.amount_minor) for one in view.disputes],
        view.status,
    )
