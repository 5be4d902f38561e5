"""Answers 200 whatever happens: an error is logged, and that is that.

People write: ``try: handle(event) except Exception: log.exception(…)`` and return 200 below it, so
that "the provider does not disable the endpoint".
Breaks because the 200 says that the webhook needs not come again, and nothing has come of it.
Shows as an order that is paid for and stays pending, when the provider could not be asked at the
moment at which its webhook came.
"""

from __future__ import annotations

import logging

from scenarios.mutants.by_hand import payment_in
from scenarios.mutants.mutant import Mutant
from shop.apply_outcome import apply_outcome
from shop.domain.errors import ShopError
from shop.domain.payment import PaymentReported
from shop.domain.webhook_signature import SignedWebhook
from shop.parts import Parts
from shop.ports import Shop

_LOG = logging.getLogger("shop")


async def handle_or_log(shop: Shop, webhook: SignedWebhook) -> None:
    """Look at the payment and act upon it; what goes wrong on the way is only noted."""
    payment = payment_in(webhook)
    if payment is None:
        return
    try:
        payment = await shop.provider.fetch_payment(payment.id)
        await apply_outcome(shop, payment.reference, PaymentReported(payment))
    except ShopError as problem:
        _LOG.error("webhook %s failed: %s", webhook.id, problem.detail)


MUTANT = Mutant(
    "errors_swallowed",
    "M08",
    "answers 200 although handling the webhook failed: it never comes again",
    Parts(receive_webhook=handle_or_log),
)
