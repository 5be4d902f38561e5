"""``/docs``: the OpenAPI document as a page that needs neither JavaScript nor a network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from starlette.responses import HTMLResponse

from psp_sim.http_pages import show_page


def render_docs(document: Mapping[str, Any]) -> HTMLResponse:
    """Return the page of an OpenAPI document."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    links = " ".join(
        f'<a href="#{operation["operationId"]}">{escape(operation["operationId"])}</a>'
        for *_, operation in operations
    )
    schemas = document["components"]["schemas"]
    body = [
        f"<header><h1>{escape(document['info']['title'])}</h1>",
        f"<p>{escape(document['info']['description'])}</p>",
        '<p>Send <code>Authorization: Bearer KEY</code>. The same as data: <a href="openapi.json">'
        f"openapi.json</a></p><nav>{links}</nav></header><main>",
        *(_operation(*each) for each in operations),
        "<h2>Schemas</h2>",
        *(_schema(name, schema) for name, schema in sorted(schemas.items())),
        "</main>",
    ]
    return show_page("psp-sim API", "\n".join(body))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<section id="{operation["operationId"]}"><h3><span class="method">{method}</span>'
        f"<code>{escape(path)}</code></h3><p>{escape(operation['summary'])}</p>"
    ]
    rows = [
        (p["name"], f"{p['in']}{', required' if p['required'] else ''}", p["schema"])
        for p in operation["parameters"]
    ]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    rows += [("body", "json", content["schema"]) for content in bodies]
    if rows:
        cells = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(where)}</td>"
            f"<td>{_type(schema)}</td></tr>"
            for name, where, schema in rows
        )
        parts.append(f"<table><tr><th>takes</th><th>where</th><th>type</th></tr>{cells}</table>")
    parts += ["<table><tr><th>answers</th><th>meaning</th><th>body</th></tr>"]
    parts += list(_answers(operation["responses"]))
    return "".join([*parts, "</table></section>"])


def _answers(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        types = [
            f"{_type(content['schema'])} <span class='quiet'>{escape(media)}</span>"
            for media, content in response.get("content", {}).items()
        ]
        meaning = escape(response["description"].replace("`", ""))
        yield f"<tr><td>{status}</td><td>{meaning}</td><td>{'<br>'.join(types)}</td></tr>"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    shown = schema.get("type", "any")
    return escape(f"{shown}: {schema['description']}" if "description" in schema else str(shown))


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    return (
        f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
        f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre></section>"
    )
