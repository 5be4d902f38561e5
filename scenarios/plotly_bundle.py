"""plotly.js as the Python package ``plotly`` brings it: served or written from this machine."""

from __future__ import annotations

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
