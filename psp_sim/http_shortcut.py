"""A way past the framework for operations that have a path of their own.

Looking a path up costs next to nothing; to go through every layer and try every route costs as much
as the server itself needs for a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from psp_sim.http_operation import Operation


class ShortcutApp(Starlette):
    """Calls such an operation at once, and does with everything else as Starlette does."""

    def __init__(self, *, routes: Sequence[BaseRoute], **options: Any) -> None:
        super().__init__(routes=routes, **options)
        self._shortcuts: dict[tuple[str, str], ASGIApp] = {
            (method, route.path): route.app
            for route in routes
            if isinstance(route, Route) and isinstance(route.app, Operation)
            if "{" not in route.path
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or go through the lifespan."""
        if scope["type"] == "http":
            operation = self._shortcuts.get((scope["method"], scope["path"]))
            if operation is not None:
                await operation(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
