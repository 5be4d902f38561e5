"""plotly.js as the Python package ``plotly`` brings it: served or written from this machine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from scenarios.errors import WrongUsage


@cache
def plotly_js() -> str:
    """Return the library's text. Raises WrongUsage where the extra is not installed."""
    try:
        package = resources.files("plotly")
    except ModuleNotFoundError as problem:
        raise WrongUsage(
            "charts need the package plotly: pip install 'psp-scenarios[page]'"
        ) from problem
    return package.joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def policy_of(scripts: Sequence[str]) -> str:
    """Return a policy for a page with these scripts inside: nothing from anywhere else runs.

    Plotly writes style elements of its own, so styles are not restricted; scripts are, by hash.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
