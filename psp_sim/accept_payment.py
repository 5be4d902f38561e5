"""From a payment request to a stored payment and its first event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from psp_sim.change_payment import store_event
from psp_sim.domain.course_plan import plan_course
from psp_sim.domain.distribution import Delay
from psp_sim.domain.faults import Fault, Moment
from psp_sim.domain.lifecycle import accepted
from psp_sim.domain.money import Money
from psp_sim.domain.payment import CaptureMethod, Payment, Status
from psp_sim.domain.script import parse_script
from psp_sim.provider import Provider
from psp_sim.store import insert_payment, order_number_of
from sqlport import Transaction


class PaymentRequest(NamedTuple):
    """What a merchant asks for, checked. ``action_base`` is the URL that payers are sent to."""

    money: Money
    reference: str
    payment_method: str
    metadata: Mapping[str, str]
    capture_method: CaptureMethod
    action_base: str

    @property
    def script(self) -> list[Fault]:
        """The faults that ``metadata.sim`` asks for. Raises InvalidFault."""
        return parse_script(self.metadata["sim"]) if "sim" in self.metadata else []


async def accept_payment(
    provider: Provider, transaction: Transaction, request: PaymentRequest
) -> str:
    """Store a new payment with its first event; return the payment as it is shown, in JSON.

    Raises InvalidFault for a script that it cannot read.
    """
    script = request.script
    number = await order_number_of(transaction, request.reference)
    faults: list[Fault] = []
    if script or provider.faults.is_any_in_force:
        moment = Moment(order=number, reference=request.reference)
        faults = [fault for _, fault in provider.faults.fire("payment", moment, script)]
    payment, event_type = accepted(_new_payment(provider, request, number, faults))
    await insert_payment(transaction, payment)
    shown = await store_event(provider, transaction, payment, event_type, payment.created_at)
    await provider.faults.save_counts(transaction)
    return shown


def _new_payment(
    provider: Provider, request: PaymentRequest, order_number: int, faults: list[Fault]
) -> Payment:
    settings = provider.settings

    def draw(kind: str, delay: Delay) -> float:
        return provider.scaled(delay.draw_from(lambda: provider.chance.random(kind, order_number)))

    expires_after_s = provider.scaled(settings.authorization_expires_after_s)
    course = plan_course(
        request.payment_method, faults, settings.settle_after, draw, expires_after_s
    )
    payment_id = provider.new_id("pay")
    return Payment(
        id=payment_id,
        reference=request.reference,
        order_number=order_number,
        money=request.money,
        payment_method=request.payment_method,
        metadata=request.metadata,
        status=Status.PROCESSING,
        sequence=1,
        created_at=provider.clock.now(),
        course=course,
        capture_method=request.capture_method,
        action_url=f"{request.action_base}/authenticate/{payment_id}",
    )
