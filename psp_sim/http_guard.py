"""Who may use the surfaces that are no part of ``/v1``: this machine, or the admin's token."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from psp_sim.domain.errors import Forbidden

SAFE_METHODS = ("GET", "HEAD")
_OWN_SITES = ("same-origin", "none")


def guard(admin_token: str, request: Request, surface: str) -> None:
    """Let this machine in, and whoever holds the admin token. Raises Forbidden.

    A browser on this machine also runs the pages of other websites, so a call that one of them
    could make is refused: what changes something must not come from another site, and the host
    that was asked for must not be a name of the public internet (DNS rebinding).
    """
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if admin_token and hmac.compare_digest(token.encode(), admin_token.encode()):
        return
    if not all(_is_local(address) for address in _addresses(request)):
        raise Forbidden(
            f"{surface} answers to this machine only; set PSP_ADMIN_TOKEN and send it "
            "as Authorization: Bearer TOKEN to use it from elsewhere"
        )
    if not _is_private_name(request.headers.get("host", "")):
        raise Forbidden(f"{surface} does not answer under a public name: use 127.0.0.1")
    if request.method not in SAFE_METHODS and _is_from_another_site(request):
        raise Forbidden(f"{surface} takes no changes from other websites")


def _addresses(request: Request) -> list[str]:
    """Return the caller's own address and those that it is said to call for.

    Forwarding headers can be made up, which is why they count against their caller only.
    """
    said = ",".join(request.headers.getlist("x-forwarded-for"))
    return [request.client.host if request.client else "", *(said.split(",") if said else [])]


def _is_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip())
    except ValueError:
        return False
    # A socket that listens on :: sees 127.0.0.1 as ::ffff:127.0.0.1.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_private_name(header: str) -> bool:
    """Tell whether no stranger can have a name like this: an address, localhost, or one label."""
    try:
        host = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if "." not in host.rstrip(".") or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_from_another_site(request: Request) -> bool:
    """Tell whether a browser says so: it sets these headers, and pages cannot forge them."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        return True
    origin = request.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:
        return True
