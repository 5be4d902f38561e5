"""The harness's own warehouse: it takes every fulfilment and remembers each call.

What reaches it is the effect that counts, seen outside the service under test.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scenarios.evidence import Shipment


class _Call(msgspec.Struct):
    order: str | int
    fulfilment: str | int | None = None


class Warehouse:
    """An application for one run, and what it has seen."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.shipments: list[Shipment] = []
        self.app = Starlette(
            routes=[
                Route("/fulfilments", self._take, methods=["POST"]),
                Route("/fulfilments", self._list, methods=["GET"]),
                Route("/healthz", self._healthz, methods=["GET"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        try:
            call = msgspec.json.decode(await request.body(), type=_Call)
        except msgspec.DecodeError as problem:
            return JSONResponse({"detail": f"a fulfilment names its order: {problem}"}, 400)
        fulfilment = None if call.fulfilment is None else str(call.fulfilment)
        self.shipments.append(Shipment(self._now(), str(call.order), fulfilment))
        return JSONResponse({"accepted": True})

    async def _list(self, _: Request) -> Response:
        """Answer what has left, each fulfilment once, and how many calls told of it."""
        named = dict.fromkeys((s.order, s.fulfilment) for s in self.shipments if s.fulfilment)
        nameless = [(s.order, None) for s in self.shipments if not s.fulfilment]
        data = [{"order": order, "fulfilment": f} for order, f in (*named, *nameless)]
        return JSONResponse({"data": data, "calls": len(self.shipments)})

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})
