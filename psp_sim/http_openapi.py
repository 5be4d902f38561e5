"""``/openapi.json`` and ``/docs``: the API described from its routes and from what validates it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from psp_sim.domain import errors
from psp_sim.domain.errors import PspError
from psp_sim.domain.idempotency import KEY_SCHEMA
from psp_sim.http_description import DESCRIBED, Described
from psp_sim.http_docs import render_docs
from psp_sim.http_models import Problem

_REF = "#/components/schemas/{name}"
_PROBLEM = "application/problem+json"
_ALWAYS = (
    errors.Unauthorized,
    errors.RateLimited,
    errors.DatabaseUnavailable,
    errors.Unexpected,
)
_WITH_KEY = (
    errors.IdempotencyKeyMalformed,
    errors.IdempotencyKeyInUse,
    errors.IdempotencyKeyReused,
)


def openapi_routes(api: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return the routes that describe the given ones; the description is made when first asked."""
    described = cache(partial(describe, api))

    async def openapi(_: Request) -> Response:
        return JSONResponse(described())

    async def docs(_: Request) -> Response:
        return render_docs(described())

    return [
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/docs", docs, methods=["GET"]),
    ]


def describe(api: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these routes."""
    routes = [route for route in api if isinstance(route, Route)]
    paths: dict[str, dict[str, Any]] = {}
    wanted = [Problem, *(m for each in DESCRIBED.values() for m in (each.body, each.answer) if m)]
    schemas, components = msgspec.json.schema_components(wanted, ref_template=_REF)
    references = dict(zip(wanted, schemas, strict=True))
    for route in routes:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            described = DESCRIBED.get(f"{method} {route.path}")
            paths.setdefault(route.path, {})[method.lower()] = _operation(
                route, described or Described(route.name, dict), references
            )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "psp-sim",
            "version": "1",
            "description": "A simulated payment provider. Amounts are in minor units.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, described: Described, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": described.summary,
        "parameters": _parameters(route.path, described),
        "responses": _responses(described, schemas),
    }
    if described.body is not None:
        is_required = bool(_required(described.body))
        operation["requestBody"] = {
            "required": is_required,
            "content": {"application/json": {"schema": schemas[described.body]}},
        }
    return operation


def _required(model: Any) -> list[str]:
    return [each.name for each in msgspec.structs.fields(model) if each.required]


def _parameters(path: str, described: Described) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", path)
    ]
    found += [
        {"name": name, "in": "query", "required": False, "schema": dict(schema)}
        for name, schema in described.query.items()
    ]
    found += [
        {"name": name, "in": "header", "required": False, "schema": text}
        for name in described.headers
    ]
    if described.needs_key or described.takes_key:
        key = {"name": "Idempotency-Key", "in": "header", "required": described.needs_key}
        found.append(key | {"schema": dict(KEY_SCHEMA)})
    return found


def _responses(described: Described, schemas: dict[Any, Any]) -> dict[str, Any]:
    content: dict[str, Any] = (
        {"text/event-stream": {"schema": {"type": "string"}}}
        if described.answer is None
        else {"application/json": {"schema": schemas.get(described.answer, {})}}
    )
    responses: dict[str, Any] = {
        str(described.status): {"description": "Done", "content": content},
        **{
            str(status): {"description": meaning}
            for status, meaning in described.more_statuses.items()
        },
    }
    for status, kinds in sorted(_errors_by_status(described).items()):
        codes = ", ".join(f"`{kind.code}`" for kind in kinds)
        responses[str(status)] = {
            "description": f"{' / '.join(kind.title for kind in kinds)} ({codes})",
            "content": {_PROBLEM: {"schema": schemas[Problem]}},
        }
    return responses


def _errors_by_status(described: Described) -> dict[int, list[type[PspError]]]:
    kinds: list[type[PspError]] = [*described.errors, *_ALWAYS]
    if described.needs_key:
        kinds.append(errors.IdempotencyKeyMissing)
    if described.needs_key or described.takes_key:
        kinds += _WITH_KEY
    if described.body is not None:
        kinds.append(errors.BodyTooLarge)
    found: dict[int, list[type[PspError]]] = {}
    for kind in dict.fromkeys(kinds):
        found.setdefault(kind.status, []).append(kind)
    return found
