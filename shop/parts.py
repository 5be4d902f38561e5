"""The steps that the shop is put together from, each replaceable by another of the same shape."""

from __future__ import annotations

from dataclasses import dataclass

from shop.domain.order import decide
from shop.domain.webhook_signature import verify
from shop.fulfil_order import fulfil_order
from shop.place_order import place_order
from shop.ports import (
    CheckOrder,
    Decide,
    FindOldPayment,
    FulfilOrder,
    LookAfterEndpoint,
    PlaceOrder,
    ProcessBatch,
    ProcessEvent,
    ReadStream,
    ReceiveWebhook,
    Reconciliation,
    RefundOrder,
    RequestPayment,
    RequestRefund,
    VerifyWebhook,
)
from shop.process_inbox import process_batch, process_event
from shop.receive_webhook import receive_webhook
from shop.refund_order import refund_order, request_refund
from shop.register_endpoint import look_after_endpoint
from shop.request_payment import find_old_payment, request_payment
from shop.tracking.ask_provider import ask_provider
from shop.tracking.event_log import read_event_log
from shop.tracking.read_stream import read_stream

_RECONCILIATION = Reconciliation(ask_provider, read_event_log)


@dataclass(frozen=True)
class Parts:
    """The steps in the order in which an order meets them; the defaults are the correct ones."""

    place_order: PlaceOrder = place_order
    request_payment: RequestPayment = request_payment
    find_old_payment: FindOldPayment = find_old_payment
    verify_webhook: VerifyWebhook = verify
    receive_webhook: ReceiveWebhook = receive_webhook
    process_batch: ProcessBatch = process_batch
    process_event: ProcessEvent = process_event
    decide: Decide = decide
    fulfil_order: FulfilOrder = fulfil_order
    reconcile: Reconciliation = _RECONCILIATION
    poll: CheckOrder = ask_provider
    read_stream: ReadStream = read_stream
    refund_order: RefundOrder = refund_order
    request_refund: RequestRefund = request_refund
    look_after_endpoint: LookAfterEndpoint = look_after_endpoint
