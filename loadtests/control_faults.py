"""The provider's control API comes in; which faults are in force, and how often they fired."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from loadtests.read_books import READ_TIMEOUT_S

_PATH = "/_control/faults"


def kinds_in_force(psp_url: str) -> str:
    """Return the kinds of faults in force, like ``drop,lose_response``. Raises httpx.HTTPError."""
    with _client(psp_url) as client:
        installed = client.get(_PATH).raise_for_status().json()["data"]
    return ",".join(sorted({fault["kind"] for fault in installed}))


def lift_faults(psp_url: str) -> Mapping[str, int]:
    """Lift all of them; return how often each kind fired. Raises httpx.HTTPError."""
    with _client(psp_url) as client:
        fired: dict[str, int] = client.get(_PATH).raise_for_status().json()["fired"]
        client.delete(_PATH).raise_for_status()
    return fired


def _client(psp_url: str) -> httpx.Client:
    return httpx.Client(base_url=psp_url, trust_env=False, timeout=READ_TIMEOUT_S)
