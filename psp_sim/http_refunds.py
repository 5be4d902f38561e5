"""``/v1/refunds``: from HTTP to the verb and back."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from psp_sim.domain.errors import InvalidRequest, NotFound
from psp_sim.domain.event import render_refund
from psp_sim.domain.idempotency import Answer
from psp_sim.domain.money import parse_amount
from psp_sim.http_models import METADATA_CHARACTERS_MAX, CreateRefund
from psp_sim.http_once import once_on_money
from psp_sim.http_operation import decode, operation, page, page_of
from psp_sim.http_payments import check_metadata
from psp_sim.provider import Provider
from psp_sim.refund_payment import RefundRequest, refund_payment
from psp_sim.refund_store import list_refunds, refund_by_id
from sqlport import Transaction


def refund_routes(provider: Provider) -> list[BaseRoute]:
    """Return the routes of refunds."""
    return [
        operation(provider, "/v1/refunds", "POST", "create_refund", _create),
        operation(provider, "/v1/refunds", "GET", "list_refunds", _list),
        operation(provider, "/v1/refunds/{refund_id}", "GET", "read_refund", _read),
    ]


async def _create(provider: Provider, request: Request, body: bytes) -> Response:
    document = decode(body, CreateRefund)
    if document.reason is not None and len(document.reason) > METADATA_CHARACTERS_MAX:
        raise InvalidRequest(f"reason has at most {METADATA_CHARACTERS_MAX} characters")
    wanted = RefundRequest(
        payment_id=document.payment,
        amount_minor=None if document.amount is None else parse_amount(document.amount),
        reason=document.reason,
        metadata=check_metadata(document.metadata),
    )

    async def create(transaction: Transaction) -> Answer:
        payment, refund = await refund_payment(provider, transaction, wanted)
        return Answer(201, json.dumps(render_refund(payment, refund)))

    return await once_on_money(provider, request, document, create)


async def _list(provider: Provider, request: Request, _: bytes) -> Response:
    after, limit = page_of(request)
    payment_id = request.query_params.get("payment")
    async with provider.database.transaction() as transaction:
        found = await list_refunds(transaction, after, limit + 1, payment_id)
    rows = [(position, render_refund(payment, refund)) for position, (payment, refund) in found]
    return JSONResponse(page(rows, limit))


async def _read(provider: Provider, request: Request, _: bytes) -> Response:
    refund_id = request.path_params["refund_id"]
    async with provider.database.transaction() as transaction:
        found = await refund_by_id(transaction, refund_id)
    if found is None:
        raise NotFound(f"there is no refund {refund_id}")
    return JSONResponse(render_refund(*found))
