"""From a refund request to a stored refund and its event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psp_sim.change_payment import change_payment, hold_payment
from psp_sim.domain.course_plan import refund_failure
from psp_sim.domain.distribution import Delay
from psp_sim.domain.errors import InvalidState
from psp_sim.domain.faults import Moment
from psp_sim.domain.lifecycle import refund_requested
from psp_sim.domain.payment import Payment
from psp_sim.domain.refund import Refund, RefundStatus
from psp_sim.domain.script import parse_script
from psp_sim.provider import Provider
from psp_sim.refund_store import insert_refund
from sqlport import Transaction


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What a merchant asks for, checked. ``amount_minor`` None is all that is left."""

    payment_id: str
    amount_minor: int | None
    reason: str | None
    metadata: Mapping[str, str]


async def refund_payment(
    provider: Provider, transaction: Transaction, request: RefundRequest
) -> tuple[Payment, Refund]:
    """Store a refund, pending. Raises NotFound, InvalidState, or InvalidAmount for too much."""
    payment = await hold_payment(transaction, request.payment_id)
    refund = _new_refund(provider, request, payment)
    # The domain has its say before any fault is spent on a refund that is refused.
    refund_requested(payment, refund)
    refund = _with_fate(provider, payment, refund)
    changed = await change_payment(
        provider, transaction, payment.id, lambda found: refund_requested(found, refund)
    )
    await insert_refund(transaction, refund.id, payment.id)
    await provider.faults.save_counts(transaction)
    return changed, refund


def _new_refund(provider: Provider, request: RefundRequest, payment: Payment) -> Refund:
    amount_minor = payment.left_minor if request.amount_minor is None else request.amount_minor
    if request.amount_minor is None and payment.captured_minor and not payment.left_minor:
        raise InvalidState(f"nothing of payment {payment.id} is left to refund")
    number = len(payment.refunds) + 1
    source = provider.chance.random("refund", payment.order_number, number)
    return Refund(
        id=provider.new_id("re"),
        amount_minor=amount_minor,
        status=RefundStatus.PENDING,
        reason=request.reason,
        created_at=provider.clock.now(),
        takes_s=provider.scaled(provider.settings.refund_after.draw(source)),
        fails_after_s=payment.course.refund_fails_after_s,
        metadata=request.metadata,
    )


def _with_fate(provider: Provider, payment: Payment, refund: Refund) -> Refund:
    """Let faults on refunds have their say."""
    number = len(payment.refunds) + 1
    moment = Moment(
        operation="create_refund",
        order=payment.order_number,
        reference=payment.reference,
        attempt=number,
    )
    script = parse_script(payment.metadata["sim"]) if "sim" in payment.metadata else []
    faults = [fault for _, fault in provider.faults.fire("payment", moment, script)]

    def draw(kind: str, delay: Delay) -> float:
        return provider.scaled(
            delay.draw(provider.chance.random(kind, payment.order_number, number))
        )

    return refund_failure(refund, faults, draw)
