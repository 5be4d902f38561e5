"""An open order comes in; the provider is asked about its payment, and the answer applied."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shop.apply_outcome import apply_outcome
from shop.domain.errors import ProviderUnavailable, UnreadableAnswer
from shop.domain.order import Order, OrderStatus
from shop.domain.payment import Payment, PaymentReported
from shop.ports import Shop
from shop.settings import WEBHOOKS_AND_RECONCILIATION

_LOG = logging.getLogger("shop")
_ETAGS_MAX = 10_000


async def ask_provider(shop: Shop, order: Order) -> None:
    """Ask by the payment's id, or by our reference while the shop does not know the id.

    No answer changes nothing: the order stays due. Whatever was read is decided upon against the
    order as it is stored by then, so a webhook that was faster is not undone.
    """
    kind = kind_of_question(shop)
    shop.measured.requests[kind] += 1
    try:
        if order.payment_id is None:
            payments: Sequence[Payment] = await shop.provider.find_payments(order.id)
            await apply_answer(shop, order, payments, kind)
        else:
            await _ask_about(shop, order, order.payment_id, kind)
    except (ProviderUnavailable, UnreadableAnswer) as problem:
        shop.measured.failed[kind] += 1
        _LOG.info("cannot ask about order %s: %s", order.id, problem.detail)


async def _ask_about(shop: Shop, order: Order, payment_id: str, kind: str) -> None:
    known_etag = shop.etags.get(payment_id)
    payment, etag = await shop.provider.fetch_payment_if_changed(payment_id, known_etag)
    if payment is None:
        shop.measured.not_modified[kind] += 1
        shop.measured.useless[kind] += 1
        return
    await apply_answer(shop, order, (payment,), kind)
    # Only now: what was answered 304 ever after has to have been applied once.
    _remember(shop, payment_id, etag)


async def apply_answer(
    shop: Shop, order: Order, payments: Sequence[Payment], kind: str
) -> OrderStatus:
    """Apply every payment of the order that the provider told of; return where it stands now."""
    is_news, status = False, order.status
    for payment in payments:
        decision = await apply_outcome(shop, order.id, PaymentReported(payment), kind)
        if decision is not None:
            is_news, status = is_news or decision.is_news, decision.order.status
    shop.measured.useless[kind] += not is_news
    return status


def kind_of_question(shop: Shop) -> str:
    """What a question about one order is counted as."""
    tracking = shop.settings.tracking
    return "reconciliation" if tracking == WEBHOOKS_AND_RECONCILIATION else tracking


def _remember(shop: Shop, payment_id: str, etag: str | None) -> None:
    if etag is None:
        shop.etags.pop(payment_id, None)
        return
    shop.etags.pop(payment_id, None)
    shop.etags[payment_id] = etag
    if len(shop.etags) > _ETAGS_MAX:
        # The one not asked about for longest; forgetting it costs one whole answer.
        del shop.etags[next(iter(shop.etags))]
