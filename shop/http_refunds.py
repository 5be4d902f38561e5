"""/orders/{id}/refunds: the merchant's staff asks for a refund, and reads what became of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shop.domain.errors import MalformedRequest
from shop.domain.peer_address import networks_in
from shop.http_support import json_response, read_body, require_admin
from shop.order_view import refund_view
from shop.ports import RefundOrder, Shop


class RefundWishBody(msgspec.Struct):
    """How much, in minor units (None: all that is left), and why."""

    amount: Annotated[int, msgspec.Meta(ge=1)] | None = None
    # PostgreSQL stores no text with the character zero.
    reason: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00]*$")] | None = None


def refund_routes(shop: Shop, refund_order: RefundOrder) -> list[Route]:
    """Giving money back is not for customers to do: only from this machine or its network."""
    trusted = networks_in(shop.settings.trusted_proxies)

    async def create_refund(request: Request) -> Response:
        require_admin(request, trusted)
        settings = shop.settings
        body = await read_body(
            request, limit_bytes=settings.order_body_limit_bytes, timeout_s=settings.body_timeout_s
        )
        wish = _wish(body)
        order_id = request.path_params["order_id"]
        key = request.headers.get("idempotency-key")
        wanted = await refund_order(shop, order_id, wish.amount, wish.reason, key)
        return json_response(refund_view(wanted), 201)

    return [Route("/orders/{order_id}/refunds", create_refund, methods=["POST"])]


def _wish(body: bytes) -> RefundWishBody:
    if not body:
        return RefundWishBody()
    try:
        return msgspec.json.decode(body, type=RefundWishBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        sentence = f"the body must be {{}} or {{amount, reason}}: {problem}"
        raise MalformedRequest(sentence) from problem
