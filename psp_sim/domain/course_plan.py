"""From a payment method and the faults that hit a payment to the course that it will take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from psp_sim.domain.course import AUTHORIZATION_EXPIRES_AFTER_S, Course, DisputeCourse
from psp_sim.domain.dispute import DisputeStatus
from psp_sim.domain.distribution import Delay
from psp_sim.domain.faults import VOCABULARY, Fault
from psp_sim.domain.refund import Refund

# A bank debit takes this many times as long as a card.
BANK_DEBIT_SLOWNESS = 30.0


@dataclass(frozen=True, slots=True)
class Method:
    """A payment method that decides what becomes of a payment, in the manner of test cards."""

    meaning: str
    faults: tuple[Fault, ...] = ()
    slowness: float = 1.0


def _usual(kind: str, **fields: Any) -> Fault:
    defaults = {name: default for name, (_, default) in VOCABULARY[kind].fields.items()}
    return Fault(kind, fields=defaults | fields)


# Any other method is like card.
METHODS: dict[str, Method] = {
    "card": Method("succeeds"),
    "card_declined": Method("is declined", (_usual("decline"),)),
    "card_insufficient_funds": Method(
        "is declined for lack of money", (_usual("decline", code="insufficient_funds"),)
    ),
    "card_expired": Method(
        "is declined because the card has expired", (_usual("decline", code="expired_card"),)
    ),
    "card_authenticate": Method(
        "needs who pays to approve it at `next_action.url`", (_usual("require_action"),)
    ),
    "bank_debit": Method("takes thirty times as long as a card", (), BANK_DEBIT_SLOWNESS),
    "card_dispute": Method("succeeds, then is disputed and lost", (_usual("dispute"),)),
    "card_refund_fails": Method(
        "succeeds; its refunds succeed, then fail", (_usual("refund_fails"),)
    ),
    "bank_debit_fails_late": Method(
        "succeeds as a bank debit, then fails", (_usual("fail_late"),), BANK_DEBIT_SLOWNESS
    ),
}


def plan_course(
    payment_method: str,
    faults: Sequence[Fault],
    settle_after: Delay,
    draw: Callable[[str, Delay], float],
    authorization_expires_after_s: float = AUTHORIZATION_EXPIRES_AFTER_S,
) -> Course:
    """Add up the method and the faults; of two of one kind, the later counts.

    ``draw(kind, delay)`` gives the seconds that a delay really takes.
    """
    method = METHODS.get(payment_method, METHODS["card"])
    if not (faults or method.faults):
        settles_after_s = draw("settlement", settle_after) * method.slowness
        return _undisturbed(settles_after_s, authorization_expires_after_s)
    fields = {fault.kind: fault.fields for fault in (*method.faults, *faults)}
    late = fields.get("settle_after")
    settles_after_s = (
        draw("settlement", settle_after) * method.slowness
        if late is None
        else draw("settlement", late["by"])
    )
    return Course(
        settles_after_s=None if "never_settle" in fields else settles_after_s,
        needs_action="require_action" in fields,
        decline_code=fields["decline"]["code"] if "decline" in fields else None,
        fails_after_s=draw("fail_late", fields["fail_late"]["by"])
        if "fail_late" in fields
        else None,
        dispute=_dispute(fields["dispute"], draw) if "dispute" in fields else None,
        refund_fails_after_s=draw("refund_fails", fields["refund_fails"]["by"])
        if "refund_fails" in fields
        else None,
        authorization_expires_after_s=authorization_expires_after_s,
    )


@lru_cache(maxsize=64)
def _undisturbed(settles_after_s: float, authorization_expires_after_s: float) -> Course:
    """Make it once for all payments that settle after the same time: nearly all do."""
    return Course(
        settles_after_s=settles_after_s,
        authorization_expires_after_s=authorization_expires_after_s,
    )


def _dispute(fields: Any, draw: Callable[[str, Delay], float]) -> DisputeCourse:
    return DisputeCourse(
        opens_after_s=draw("dispute", fields["by"]),
        decided_after_s=draw("dispute_decision", fields["decided_after"]),
        outcome=DisputeStatus(fields["outcome"]),
    )


def refund_failure(
    refund: Refund, faults: Sequence[Fault], draw: Callable[[str, Delay], float]
) -> Refund:
    """Return the refund with when after its success it fails, if a fault that hit it says so."""
    delays = [fault.fields["by"] for fault in faults if fault.kind == "refund_fails"]
    return replace(refund, fails_after_s=draw("refund_fails", delays[-1])) if delays else refund
