"""A run of the demo as one file: the same page, fed from what was said instead of from a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from scenarios.demo.http_page import SCRIPTS, script, text_of
from scenarios.demo.knobs import Knobs
from scenarios.demo.pace import LIVE, Pace
from scenarios.plotly_bundle import plotly_js, policy_of


def recording_page(messages: Sequence[tuple[float, Any]], pace: Pace = LIVE) -> str:
    """Return the page with its scripts inside; ``messages`` are (second, message)."""
    told = {"script": script(), "label": label_of(pace), "messages": messages}
    data = json.dumps(told, separators=(",", ":"))
    library = _harmless(plotly_js())
    scripts = {
        '<script src="/plotly.js"></script>': library,
        **{f'<script src="/{name}"></script>': text_of(name) for name in SCRIPTS},
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


def label_of(pace: Pace) -> str:
    """Say that it is a recording, and what in it is not as it is live."""
    if pace.factor == 1:
        return "recording"
    knobs = Knobs.at(pace)
    return (
        f"recording, {1 / pace.factor:.1f} times as quick as live: payments settle after "
        f"{knobs.settlement_s:g} s, polling every {knobs.polling_interval_s:g} s"
    )


def _harmless(text: str) -> str:
    return text.replace("</", "<\\/")
