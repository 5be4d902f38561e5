"""Pages for people: one frame, pleasant in light and dark, that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib

from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2563eb; }
@media (prefers-color-scheme: dark) { :root { --accent: #7aa2ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
main.card { max-width: 26rem; margin: 12vh auto 0; padding: 2rem; border: 1px solid var(--line);
  border-radius: 1rem; }
h1 { font-size: 1.4rem; } h2 { margin-top: 2.5rem; font-size: 1.15rem; }
h1, h2, h3 { line-height: 1.25; } .quiet { opacity: .7; } .sum { font-size: 2rem; margin: .5rem 0; }
a { color: var(--accent); } nav a { margin-right: 1rem; white-space: nowrap; }
code, pre { font: .9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .8rem; border-radius: .5rem; white-space: pre-wrap; }
section { border-top: 1px solid var(--line); padding: .5rem 0; overflow-x: auto; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; color: var(--accent); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); }
form { display: flex; gap: .8rem; margin-top: 1.5rem; }
button { flex: 1; font: inherit; padding: .7rem; border-radius: .6rem; cursor: pointer;
  border: 1px solid var(--line); background: transparent; color: inherit; }
button.main { background: var(--accent); border-color: var(--accent); color: Canvas; }
button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def show_page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a page. ``title`` is plain text; ``body`` is HTML whose values are escaped."""
    return HTMLResponse(
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>{body}</body></html>\n",
        status,
        _HEADERS,
    )
