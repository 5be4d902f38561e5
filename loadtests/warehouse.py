"""A small warehouse of its own process: fulfilments come in, every call is remembered and told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loadtests.serving import serve

CALLS_MAX = 1_000_000
PAGE_CALLS = 1000


@dataclass(frozen=True)
class Call:
    """One call of the shop: the order, and the fulfilment's own id where it has one."""

    order: str
    fulfilment: str | None


def create_app() -> Starlette:
    """Return a warehouse that has seen nothing yet. It keeps its calls in memory."""
    calls: list[Call] = []

    async def take(request: Request) -> Response:
        call = _call(await _json(request))
        if call is None:
            detail = 'a fulfilment is JSON like {"order": "ord_1", "fulfilment": "ful_1"}'
            return JSONResponse({"detail": detail}, 400)
        if len(calls) >= CALLS_MAX:
            return JSONResponse({"detail": "the warehouse is full: start it again"}, 507)
        calls.append(call)
        return JSONResponse({"accepted": True})

    async def tell(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return JSONResponse({"detail": f"after must be a cursor, not {after!r}"}, 400)
        end = int(after) + PAGE_CALLS
        data = [{"order": c.order, "fulfilment": c.fulfilment} for c in calls[int(after) : end]]
        return JSONResponse({"data": data, "next": str(end) if end < len(calls) else None})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/fulfilments", take, methods=["POST"]),
            Route("/fulfilments", tell, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


def _call(document: Any) -> Call | None:
    if not isinstance(document, dict) or not isinstance(document.get("order"), str):
        return None
    fulfilment = document.get("fulfilment")
    return Call(document["order"], fulfilment if isinstance(fulfilment, str) else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m loadtests.warehouse``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.warehouse", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8082, help="default: 8082; 0 picks a free one")
    options = parser.parse_args(arguments)
    return serve("warehouse", create_app(), options.host, options.port)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
