"""A run of the demo as one file: the same page, fed from what was said instead of from a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from scenarios.demo.http_page import script, text_of
from scenarios.plotly_bundle import plotly_js, policy_of


def recording_page(messages: Sequence[tuple[float, Any]]) -> str:
    """Return the page with its scripts inside; ``messages`` are (second, message)."""
    data = json.dumps({"script": script(), "messages": messages}, separators=(",", ":"))
    library = _harmless(plotly_js())
    scripts = {
        '<script src="/plotly.js"></script>': library,
        '<script src="/wires.js"></script>': text_of("wires.js"),
        '<script src="/demo.js"></script>': text_of("demo.js"),
    }
    policy = policy_of(list(scripts.values()))
    inside = {
        '<meta charset="utf-8">': (
            f'<meta charset="utf-8"><meta http-equiv="content-security-policy" content="{policy}">'
        ),
        '<link rel="stylesheet" href="/demo.css">': f"<style>{text_of('demo.css')}</style>",
        "<footer>": f'<script type="application/json" id="recording">{_harmless(data)}</script>'
        "<footer>",
        **{outside: f"<script>{text}</script>" for outside, text in scripts.items()},
    }
    page = text_of("page.html")
    for outside, text in inside.items():
        assert outside in page, outside
        page = page.replace(outside, text, 1)
    return page


def _harmless(text: str) -> str:
    return text.replace("</", "<\\/")
