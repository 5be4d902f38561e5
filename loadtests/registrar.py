"""A stand-in for a provider that only registers an endpoint: it hands out one secret, known here.

A flood signs by itself, so it has to share a secret with the consumer, and a consumer that
registers itself takes its secret from its provider alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loadtests.serving import serve

SECRET = "REGISTRAR_SECRET"  # noqa: S105 - the name of the variable


def create_app(secret: str) -> Starlette:
    """Return a registrar that has registered nobody yet."""
    known: dict[str, dict[str, Any]] = {}

    async def register(request: Request) -> Response:
        url = (await request.json())["url"]
        endpoint = {"id": f"we_{len(known) + 1}", "url": url, "status": "enabled", "events": ["*"]}
        known[endpoint["id"]] = endpoint
        return JSONResponse({**endpoint, "secret": secret}, 201)

    async def read(request: Request) -> Response:
        endpoint = known.get(request.path_params["endpoint_id"])
        return JSONResponse(endpoint) if endpoint else JSONResponse({"code": "not_found"}, 404)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok", "endpoints": len(known)})

    return Starlette(
        routes=[
            Route("/v1/webhook_endpoints", register, methods=["POST"]),
            Route("/v1/webhook_endpoints/{endpoint_id}", read, methods=["GET", "PATCH"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m loadtests.registrar``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.registrar", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8083, help="default: 8083; 0 picks a free one")
    options = parser.parse_args(arguments)
    app = create_app(os.environ[SECRET])
    return serve("registrar", app, options.host, options.port)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
