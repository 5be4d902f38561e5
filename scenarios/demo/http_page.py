"""The demo's page, its messages, and what the presenter sends back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from scenarios.demo.knobs import LIMITS, BadKnob
from scenarios.demo.presenter import ACTIONS, END, Presenter
from scenarios.demo.services import KINDS
from scenarios.demo.tour import TOUR
from scenarios.plotly_bundle import plotly_js

# In the order in which the page needs them.
SCRIPTS = ("wires.js", "charts.js", "player.js", "demo.js")
_FILES = {"/demo.css": "text/css", **{f"/{name}": "text/javascript" for name in SCRIPTS}}
HEADERS = {
    # Plotly writes style elements of its own; no other exception is made.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def text_of(name: str) -> str:
    """Return a file of the page."""
    return resources.files("scenarios.demo").joinpath(name).read_text(encoding="utf-8")


def script() -> dict[str, Any]:
    """Return what does not change: lanes, the tour, the knobs' limits, the actions."""
    return {
        "lanes": [{"name": kind.name, "title": kind.title} for kind in KINDS],
        "tour": [step.as_json() for step in TOUR],
        "limits": {name: list(limits) for name, limits in LIMITS.items()},
        "actions": list(ACTIONS),
    }


def create_page(presenter: Presenter) -> Starlette:
    """Return the application. Only pages of the same origin can send it anything."""

    async def page(_: Request) -> Response:
        return Response(text_of("page.html"), media_type="text/html", headers=HEADERS)

    async def file(request: Request) -> Response:
        path = request.url.path
        return Response(text_of(path[1:]), media_type=_FILES[path], headers=HEADERS)

    async def library(_: Request) -> Response:
        return Response(plotly_js(), media_type="text/javascript", headers=HEADERS)

    async def read_script(_: Request) -> Response:
        return JSONResponse(script(), headers=HEADERS)

    async def messages(_: Request) -> Response:
        return StreamingResponse(
            _stream(presenter), media_type="text/event-stream", headers=HEADERS
        )

    return Starlette(
        routes=[
            Route("/", page),
            *(Route(path, file) for path in _FILES),
            Route("/plotly.js", library),
            Route("/script", read_script),
            Route("/messages", messages),
            _post("/knobs", presenter.turn),
            _post("/act", lambda body: presenter.act(str(body.get("action")))),
            _post("/step", lambda body: presenter.take(_whole(body.get("step")))),
        ]
    )


def _post(path: str, work: Callable[[dict[str, Any]], Awaitable[None]]) -> Route:
    async def endpoint(request: Request) -> Response:
        # Another site's form cannot send this type without being asked first.
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({"detail": "send application/json"}, 415, headers=HEADERS)
        try:
            body = await request.json()
            if not isinstance(body, dict):
                raise BadKnob("send an object")
            await work(body)
        except ValueError as problem:
            return JSONResponse({"detail": str(problem)}, 400, headers=HEADERS)
        return JSONResponse({"done": True}, headers=HEADERS)

    return Route(path, endpoint, methods=["POST"])


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BadKnob("step is a whole number")


async def _stream(presenter: Presenter) -> AsyncIterator[str]:
    queue = presenter.listen()
    try:
        while (text := await queue.get()) != END:
            yield f"data: {text}\n\n"
    finally:
        presenter.leave(queue)
