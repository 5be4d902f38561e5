"""The harness's own warehouse: it takes every fulfilment and remembers each call.

What reaches it is the effect that counts, seen outside the service under test.
"""

from __future__ import annotations

import math
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
        self.turned_away = 0
        self._open_at = -math.inf
        self.app = Starlette(
            routes=[
                Route("/fulfilments", self._take, methods=["POST"]),
                Route("/fulfilments", self._list, methods=["GET"]),
                Route("/healthz", self._healthz, methods=["GET"]),
            ]
        )

    def turn_away(self, seconds: float) -> None:
        """Take nothing on for so long, or for longer if that was said before."""
        self._open_at = max(self._open_at, self._now() + seconds)

    def take_again(self) -> None:
        """Take on whatever comes."""
        self._open_at = -math.inf

    async def _take(self, request: Request) -> Response:
        if self._now() < self._open_at:
            self.turned_away += 1
            return JSONResponse({"detail": "too much to do: ask again later"}, 503)
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
