"""Routes share what their paths mean, and nothing of who answers."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from psp_sim.http_route import route_to_function


def _saying(text: str) -> Route:
    async def say(request: Request) -> Response:
        return Response(f"{text} {request.path_params['name']}")

    return route_to_function("/greet/{name}", say, "GET")


async def _answer_of(route: Route, path: str) -> str:
    transport = httpx.ASGITransport(Starlette(routes=[route]))
    async with httpx.AsyncClient(transport=transport, base_url="http://psp") as client:
        return (await client.get(path)).text


async def test_two_routes_of_one_path_answer_for_themselves() -> None:
    first, second = _saying("hello"), _saying("bye")
    assert await _answer_of(first, "/greet/ann") == "hello ann"
    assert await _answer_of(second, "/greet/bob") == "bye bob"


def test_a_known_route_is_like_a_new_one() -> None:
    async def say(_: Request) -> Response:
        return Response()

    known, new = route_to_function("/a/{b}", say, "GET"), Route("/a/{b}", say, methods=["GET"])
    for name in ("path", "endpoint", "methods", "path_regex", "path_format", "include_in_schema"):
        assert getattr(known, name) == getattr(new, name)
