"""The provider's control API comes in; which faults are in force, and how often they fired."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping

import httpx

from loadtests.lost_answers import FAULTS
from loadtests.read_books import READ_TIMEOUT_S

_PATH = "/_control/faults"


def kinds_in_force(psp_url: str) -> str:
    """Return the kinds of faults in force, like ``drop,lose_response``. Raises httpx.HTTPError."""
    with _client(psp_url) as client:
        installed = client.get(_PATH).raise_for_status().json()["data"]
    return ",".join(sorted({fault["kind"] for fault in installed}))


@functools.cache
def kinds_here() -> str:
    """Return the kinds in force where this process's users go: as told, else as the provider says.

    From the environment: ``LOAD_FAULTS``, else ``LOAD_PSP``, and ``LOAD_ADMIN_TOKEN`` where the
    provider is on another machine.
    """
    if FAULTS in os.environ or "LOAD_PSP" not in os.environ:
        return os.environ.get(FAULTS, "")
    try:
        return kinds_in_force(os.environ["LOAD_PSP"])
    except httpx.HTTPError as problem:
        sys.stderr.write(
            f"load: the provider does not say which faults are in force ({problem!r}): "
            "no missing answer is excused\n"
        )
        return ""


def lift_faults(psp_url: str) -> Mapping[str, int]:
    """Lift all of them; return how often each kind fired. Raises httpx.HTTPError."""
    with _client(psp_url) as client:
        fired: dict[str, int] = client.get(_PATH).raise_for_status().json()["fired"]
        client.delete(_PATH).raise_for_status()
    return fired


def _client(psp_url: str) -> httpx.Client:
    token = os.environ.get("LOAD_ADMIN_TOKEN")
    return httpx.Client(
        base_url=psp_url,
        trust_env=False,
        timeout=READ_TIMEOUT_S,
        headers={"authorization": f"Bearer {token}"} if token else None,
    )
