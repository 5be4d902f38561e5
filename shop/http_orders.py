"""/orders, /products and /ledger: JSON comes in and is checked, our own nouns go out as JSON.

The order service's own routes; what is said about an order is put together in ``order_view``.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shop import store
from shop.domain.catalogue import PRODUCTS, Item, Product
from shop.domain.errors import InvalidOrder, MalformedRequest, OrderNotFound
from shop.domain.money import decimals_of, written_out
from shop.http_support import json_response, limit_in, read_body
from shop.makers import makers
from shop.order_view import views_of
from shop.ports import PlaceOrder, Shop

# Only what cannot be an address at all is refused: whether it is one, only a letter to it can tell.
_EMAIL = r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)*$"


class ItemBody(msgspec.Struct):
    """One line of an order."""

    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=100)]


class OrderBody(msgspec.Struct):
    """What a customer sends. The price is not part of it: the shop knows its prices."""

    items: Annotated[list[ItemBody], msgspec.Meta(min_length=1, max_length=20)]
    email: Annotated[str, msgspec.Meta(max_length=254, pattern=_EMAIL)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] | None = None


_ORDER_DECODER = msgspec.json.Decoder(OrderBody)


def order_routes(shop: Shop, place_order: PlaceOrder) -> list[Route]:
    """The routes that customers use."""

    async def create_order(request: Request) -> Response:
        wanted = _wanted_order(await _body(shop, request))
        items = [Item(item.sku, item.quantity) for item in wanted.items]
        order = await place_order(shop, items, wanted.email, wanted.currency)
        async with shop.database.transaction() as transaction:
            (view,) = await views_of(transaction, [order])
        return json_response(view, 201)

    async def read_order(request: Request) -> Response:
        order_id = request.path_params["order_id"]
        async with shop.database.transaction() as transaction:
            order = await store.load_order(transaction, order_id)
            if order is None:
                raise OrderNotFound(f"there is no order {order_id!r}")
            (view,) = await views_of(transaction, [order])
        return json_response(view)

    async def list_orders(request: Request) -> Response:
        limit = limit_in(request)
        after = request.query_params.get("after")
        async with shop.database.transaction() as transaction:
            if after is not None and await store.load_order(transaction, after) is None:
                raise OrderNotFound(f"there is no order {after!r} to list from")
            orders = await store.list_orders(transaction, after, limit + 1)
            page = orders[:limit]
            views = await views_of(transaction, page)
        more = len(orders) > limit
        return json_response({"data": views, "next": page[-1].id if more else None})

    async def read_ledger(_request: Request) -> Response:
        async with shop.database.transaction() as transaction:
            balances, entries = await store.ledger_balances(transaction)
        return json_response({"balances": balances, "entries": entries})

    async def list_products(_request: Request) -> Response:
        made_by = makers(shop.settings.catalogue_seed)
        return json_response(
            {"data": [_product(one, made_by[one.sku]) for one in PRODUCTS.values()]}
        )

    return [
        Route("/orders", create_order, methods=["POST"]),
        Route("/orders", list_orders, methods=["GET"]),
        Route("/orders/{order_id}", read_order, methods=["GET"]),
        Route("/ledger", read_ledger, methods=["GET"]),
        Route("/products", list_products, methods=["GET"]),
    ]


def _product(product: Product, maker: str) -> dict[str, object]:
    return {
        "sku": product.sku,
        "name": product.name,
        "maker": maker,
        "price": product.price_minor,
        "currency": product.currency,
        "decimals": decimals_of(product.currency),
        "price_text": written_out(product.price_minor, product.currency),
    }


async def _body(shop: Shop, request: Request) -> bytes:
    settings = shop.settings
    return await read_body(
        request, limit_bytes=settings.order_body_limit_bytes, timeout_s=settings.body_timeout_s
    )


def _wanted_order(body: bytes) -> OrderBody:
    try:
        return _ORDER_DECODER.decode(body)
    except msgspec.ValidationError as problem:
        raise InvalidOrder(str(problem)) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise MalformedRequest(f"the body is not JSON: {problem}") from problem
