"""A path comes in; a page, style sheet, script or drawing of the storefront goes out, guarded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

# Everything comes from the shop itself and nothing is written into a page: no inline script or
# style can run, and no string can become markup (CSP level 3, trusted types).
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    # An order's page has the order's id in its address: no other site gets to see it.
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # A new version of the shop shows at once; unchanged files are answered by 304.
    "cache-control": "no-cache",
}

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the file of its content, without ending, is also the name of its script."""

    path: str
    name: str
    title: str


PAGES = (
    Page("/", "catalogue", "Catalogue"),
    Page("/basket", "basket", "Your basket"),
    Page("/checkout", "checkout", "Checkout"),
    Page("/my-orders", "orders", "My orders"),
    Page("/my-orders/{order_id}", "order", "Your order"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """What is sent: the bytes, what they are, and a tag that changes with them."""

    body: bytes
    media_type: str
    tag: str


@cache
def storefront_routes() -> Sequence[Route]:
    """The routes that people's browsers use beside those of the API: the same for every shop."""
    return (
        Route("/", show_page, methods=["GET"]),
        Route("/basket", show_page, methods=["GET"]),
        Route("/checkout", show_page, methods=["GET"]),
        Route("/my-orders", show_page, methods=["GET"]),
        Route("/my-orders/{order_id}", show_page, methods=["GET"]),
        Route("/assets/{name}", send_asset, methods=["GET"]),
    )


async def show_page(request: Request) -> Response:
    """The page at this path. Which order it is about, its script reads from the address."""
    pages, path = _pages(), request.url.path
    return _answer(request, pages.get(path) or pages["/my-orders/{order_id}"])


async def send_asset(request: Request) -> Response:
    """A file by its exact name: the name is looked up, never put together into a path."""
    asset = _assets().get(request.path_params["name"])
    if asset is None:
        raise HTTPException(404)
    return _answer(request, asset)


def _answer(request: Request, document: Document) -> Response:
    headers = _HEADERS | {"etag": document.tag}
    if document.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(document.body, headers=headers, media_type=document.media_type)


@cache
def _pages() -> Mapping[str, Document]:
    """Every page by its route, put together once, when the first browser comes by."""
    folder = _folder("pages")
    frame = (folder / "frame.html").read_text(encoding="utf-8")
    return {page.path: _document(_filled(frame, folder, page), ".html") for page in PAGES}


@cache
def _assets() -> Mapping[str, Document]:
    return {
        file.name: _document(file.read_bytes(), "." + file.name.rpartition(".")[2])
        for file in _folder("assets").iterdir()
        if file.is_file()
    }


def _filled(frame: str, folder: Traversable, page: Page) -> bytes:
    content = (folder / f"{page.name}.html").read_text(encoding="utf-8")
    filled = frame.replace("{{title}}", page.title).replace("{{script}}", f"{page.name}.js")
    return filled.replace("{{content}}", content).encode()


def _document(body: bytes, ending: str) -> Document:
    return Document(body, _MEDIA_TYPES[ending], f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def _folder(name: str) -> Traversable:
    return files("shop.storefront") / name
